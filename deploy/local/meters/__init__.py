"""Simulated meters that speak real Modbus TCP and keep a journal of every answer (合成数据).

What a meter shows is a function of its settings and the time alone, so a journal can be checked, the past can be
written (`load_profile`) and the accounts can be recalculated by hand.
Start: `python -m deploy.local.meters --config meters.toml`.
"""
