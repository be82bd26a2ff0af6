def filled_in(request):
    return request
