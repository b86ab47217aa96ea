"""Modbus TCP: reads holding and input registers of meters, PLCs and the gateways before RS-485 buses.

``settings`` and ``tags`` say what is to be read, ``decode`` and ``plan`` are pure, ``schedule`` and ``reads`` decide
when and what next, ``client`` is the only module that knows pymodbus, ``source`` ties them together, ``probe`` helps
to find a wrong address base or word order.
"""
