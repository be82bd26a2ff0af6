def add_upload(path, *, unit, licence):
    raise NotImplementedError
