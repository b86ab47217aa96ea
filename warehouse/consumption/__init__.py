"""综合能源消费量, carbon and balance: what an enterprise used, in standard coal, line by line.

:mod:`~warehouse.consumption.terms` has the values, :mod:`~warehouse.consumption.account` the account (domain B3),
:mod:`~warehouse.consumption.deductions` and :mod:`~warehouse.consumption.carbon` what stands beside it; all pure. What
they are given is read from reports or meters by :mod:`~warehouse.consumption.sources`.
"""
