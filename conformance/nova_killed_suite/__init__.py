"""What nova_killed.py is made of: nova-compute as a process of its own, which can be killed.

The message queue between it and the other services of Nova is real: oslo.messaging's driver for RabbitMQ, and a small
broker of our own that speaks as much of AMQP 0-9-1 as that driver does.
"""
