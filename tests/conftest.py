from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.services.plugin"]

# How long an example takes depends on what else the machine does: 200 ms, the default, fail on a busy one.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
