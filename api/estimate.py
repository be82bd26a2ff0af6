def estimate(plan, rates, *, workers):
    raise NotImplementedError
