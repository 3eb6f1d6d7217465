"""A message broker: as much of AMQP 0-9-1 as oslo.messaging speaks, in memory.

As a program it prints the port that it listens on, and ends with its standard input. What it cannot, it answers with
the protocol's own error (540, not implemented). Method and field names are those of the protocol's specification.
"""

import asyncio
import collections
import itertools
import struct
import sys

from amqp import serialization

METHOD, HEADER, BODY, HEARTBEAT, END = 1, 2, 3, 8, 0xCE
FRAME_MAX = 131072
# Frame header and end.
OVERHEAD = 8

CONNECTION_START, CONNECTION_START_OK = (10, 10), (10, 11)
CONNECTION_TUNE, CONNECTION_TUNE_OK = (10, 30), (10, 31)
CONNECTION_OPEN, CONNECTION_OPEN_OK = (10, 40), (10, 41)
CONNECTION_CLOSE, CONNECTION_CLOSE_OK = (10, 50), (10, 51)
CHANNEL_OPEN, CHANNEL_OPEN_OK = (20, 10), (20, 11)
CHANNEL_CLOSE, CHANNEL_CLOSE_OK = (20, 40), (20, 41)
EXCHANGE_DECLARE, EXCHANGE_DECLARE_OK = (40, 10), (40, 11)
QUEUE_DECLARE, QUEUE_DECLARE_OK = (50, 10), (50, 11)
QUEUE_BIND, QUEUE_BIND_OK = (50, 20), (50, 21)
QUEUE_DELETE, QUEUE_DELETE_OK = (50, 40), (50, 41)
BASIC_QOS, BASIC_QOS_OK = (60, 10), (60, 11)
BASIC_CONSUME, BASIC_CONSUME_OK = (60, 20), (60, 21)
BASIC_CANCEL, BASIC_CANCEL_OK = (60, 30), (60, 31)
BASIC_PUBLISH, BASIC_RETURN, BASIC_DELIVER = (60, 40), (60, 50), (60, 60)
BASIC_ACK, BASIC_REJECT, BASIC_NACK = (60, 80), (60, 90), (60, 120)
CONFIRM_SELECT, CONFIRM_SELECT_OK = (85, 10), (85, 11)

NOT_FOUND, NOT_IMPLEMENTED, NO_ROUTE = 404, 540, 312

Message = collections.namedtuple("Message", "exchange key header body")


class Refused(Exception):
    """An error of a channel, with the protocol's code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Queue:
    """Messages that wait, and who wants them in turn."""

    def __init__(self, name, auto_delete):
        self.name = name
        self.auto_delete = auto_delete
        self.messages = collections.deque()
        self.consumers = collections.deque()

    def put(self, message):
        self.messages.append(message)
        self.deliver()

    def deliver(self):
        """Hands messages to those who have room for more."""
        while self.messages:
            for _ in range(len(self.consumers)):
                consumer = self.consumers[0]
                self.consumers.rotate(-1)
                if consumer.has_room():
                    consumer.take(self.messages.popleft())
                    break
            else:
                return


class Consumer:
    """Who wants the messages of a queue."""

    def __init__(self, channel, queue, tag, no_ack):
        self.channel, self.queue, self.tag, self.no_ack = channel, queue, tag, no_ack

    def has_room(self):
        return self.no_ack or not self.channel.prefetch or len(self.channel.unacknowledged) < self.channel.prefetch

    def take(self, message):
        channel = self.channel
        number = next(channel.deliveries)
        if not self.no_ack:
            channel.unacknowledged[number] = (self.queue, message)
        channel.send(BASIC_DELIVER, "sLbss", (self.tag, number, False, message.exchange, message.key))
        channel.send_content(message)


class Broker:
    """Exchanges and queues."""

    def __init__(self):
        # The default exchange has each queue under its name.
        self.exchanges = {"": "direct"}
        self.bindings = collections.defaultdict(set)
        self.queues = {}
        self.names = ("amq.gen-%d" % number for number in itertools.count(1))

    def declare(self, name, kind, passive):
        if name not in self.exchanges and passive:
            raise Refused(NOT_FOUND, "no exchange '%s'" % name)
        self.exchanges.setdefault(name, kind)

    def queue(self, name):
        if name not in self.queues:
            raise Refused(NOT_FOUND, "no queue '%s'" % name)
        return self.queues[name]

    def declare_queue(self, name, passive, auto_delete):
        if passive:
            return self.queue(name)
        name = name or next(self.names)
        if name not in self.queues:
            self.queues[name] = Queue(name, auto_delete)
        return self.queues[name]

    def delete_queue(self, name):
        self.queues.pop(name, None)
        for bound in self.bindings.values():
            bound.difference_update({entry for entry in bound if entry[1] == name})

    def route(self, message):
        """The queues that a message belongs to."""
        if message.exchange not in self.exchanges:
            raise Refused(NOT_FOUND, "no exchange '%s'" % message.exchange)
        if not message.exchange:
            return [self.queues[message.key]] if message.key in self.queues else []
        kind = self.exchanges[message.exchange]
        # Nobody here binds with the wildcards of topics.
        return [self.queues[name] for key, name in sorted(self.bindings[message.exchange])
                if kind == "fanout" or key == message.key]

    def leave(self, consumer):
        """A consumer that goes."""
        queue = consumer.queue
        if consumer in queue.consumers:
            queue.consumers.remove(consumer)
            if queue.auto_delete and not queue.consumers:
                self.delete_queue(queue.name)


class Channel:
    """A conversation within a connection."""

    def __init__(self, connection, number):
        self.broker, self._connection, self.number = connection.broker, connection, number
        self.prefetch = 0
        self.deliveries = itertools.count(1)
        self.unacknowledged = {}
        self.consumers = {}
        self._confirms = None
        # A message whose parts still come: arguments of its publication, header, size, parts.
        self._incoming = None

    def send(self, method, form="", values=()):
        payload = struct.pack(">HH", *method) + serialization.dumps(form, values)
        self._connection.frame(METHOD, self.number, payload)

    def send_content(self, message):
        self._connection.frame(HEADER, self.number, message.header)
        step = FRAME_MAX - OVERHEAD
        for start in range(0, len(message.body), step):
            self._connection.frame(BODY, self.number, message.body[start:start + step])

    def close(self):
        """Messages that it has not acknowledged go back."""
        for consumer in self.consumers.values():
            self.broker.leave(consumer)
        for queue, message in reversed(self.unacknowledged.values()):
            queue.messages.appendleft(message)
        for queue in {queue for queue, _ in self.unacknowledged.values()}:
            queue.deliver()

    def method(self, method, payload):
        """A method with its arguments."""

        def read(form):
            return serialization.loads(form, payload, 0)[0]

        if method == CHANNEL_OPEN:
            self.send(CHANNEL_OPEN_OK, "S", ("",))
        elif method == CHANNEL_CLOSE:
            self._connection.forget(self)
            self.send(CHANNEL_CLOSE_OK)
        elif method == CHANNEL_CLOSE_OK:
            self._connection.forget(self)
        elif method == EXCHANGE_DECLARE:
            _, name, kind, passive, _, _, _, nowait, _ = read("BssbbbbbF")
            self.broker.declare(name, kind, passive)
            if not nowait:
                self.send(EXCHANGE_DECLARE_OK)
        elif method == QUEUE_DECLARE:
            _, name, passive, _, _, auto_delete, nowait, _ = read("BsbbbbbF")
            queue = self.broker.declare_queue(name, passive, auto_delete)
            if not nowait:
                self.send(QUEUE_DECLARE_OK, "sll", (queue.name, len(queue.messages), len(queue.consumers)))
        elif method == QUEUE_BIND:
            _, queue, exchange, key, nowait, _ = read("BsssbF")
            self.broker.declare(exchange, "", True)
            self.broker.bindings[exchange].add((key, self.broker.queue(queue).name))
            if not nowait:
                self.send(QUEUE_BIND_OK)
        elif method == QUEUE_DELETE:
            self.broker.delete_queue(read("Bs")[1])
            self.send(QUEUE_DELETE_OK, "l", (0,))
        elif method == BASIC_QOS:
            self.prefetch = read("lB")[1]
            self.send(BASIC_QOS_OK)
        elif method == BASIC_CONSUME:
            self._consume(*read("BssbbbbF"))
        elif method == BASIC_CANCEL:
            tag, nowait = read("sb")
            if tag in self.consumers:
                self.broker.leave(self.consumers.pop(tag))
            if not nowait:
                self.send(BASIC_CANCEL_OK, "s", (tag,))
        elif method == BASIC_PUBLISH:
            self._incoming = [read("Bssbb"), None, 0, []]
        elif method in (BASIC_ACK, BASIC_REJECT, BASIC_NACK):
            number, *flags = read("Lbb" if method == BASIC_NACK else "Lb")
            self._settle(number, method != BASIC_REJECT and flags[0], method != BASIC_ACK and flags[-1])
        elif method == CONFIRM_SELECT:
            self._confirms = itertools.count(1)
            self.send(CONFIRM_SELECT_OK)
        else:
            raise Refused(NOT_IMPLEMENTED, "method %d.%d" % method)

    def _consume(self, _, queue, tag, no_local, no_ack, exclusive, nowait, arguments):
        consumer = Consumer(self, self.broker.queue(queue), tag, no_ack)
        self.consumers[tag] = consumer
        if not nowait:
            self.send(BASIC_CONSUME_OK, "s", (tag,))
        consumer.queue.consumers.append(consumer)
        consumer.queue.deliver()

    def _settle(self, last, is_multiple, goes_back):
        """Messages were dealt with, or are wanted by somebody else."""
        numbers = [number for number in self.unacknowledged if number == last or (is_multiple and number < last)]
        queues = []
        for number in numbers:
            queue, message = self.unacknowledged.pop(number)
            if goes_back:
                queue.messages.appendleft(message)
            queues.append(queue)
        # There is room for more.
        for queue in queues + [consumer.queue for consumer in self.consumers.values()]:
            queue.deliver()

    def header(self, payload):
        self._incoming[1] = payload
        self._incoming[2] = struct.unpack_from(">Q", payload, 4)[0]
        self._publish()

    def body(self, payload):
        self._incoming[3].append(payload)
        self._publish()

    def _publish(self):
        """Once all of a message is here."""
        (_, exchange, key, mandatory, _), header, size, parts = self._incoming
        body = b"".join(parts)
        if len(body) < size:
            return
        self._incoming = None
        message = Message(exchange, key, header, body)
        queues = self.broker.route(message)
        if mandatory and not queues:
            self.send(BASIC_RETURN, "Bsss", (NO_ROUTE, "NO_ROUTE", exchange, key))
            self.send_content(message)
        for queue in queues:
            queue.put(message)
        if self._confirms is not None:
            self.send(BASIC_ACK, "Lb", (next(self._confirms), False))


class Connection:
    """A client."""

    def __init__(self, broker, writer):
        self.broker, self._writer = broker, writer
        self._channels = {}

    def frame(self, kind, channel, payload):
        self._writer.write(struct.pack(">BHI", kind, channel, len(payload)) + payload + bytes([END]))

    def send(self, method, form="", values=()):
        self.frame(METHOD, 0, struct.pack(">HH", *method) + serialization.dumps(form, values))

    def forget(self, channel):
        if self._channels.pop(channel.number, None):
            channel.close()

    def close(self):
        for channel in list(self._channels.values()):
            self.forget(channel)

    def start(self):
        abilities = {"publisher_confirms": True, "basic.nack": True, "consumer_cancel_notify": True}
        self.send(CONNECTION_START, "ooFSS", (0, 9, {"capabilities": abilities}, "PLAIN AMQPLAIN", "en_US"))

    def method(self, method):
        """A method about the connection; whether it goes on."""
        if method == CONNECTION_START_OK:
            # No heartbeats: the clients are on this machine.
            self.send(CONNECTION_TUNE, "BlB", (2047, FRAME_MAX, 0))
        elif method == CONNECTION_OPEN:
            self.send(CONNECTION_OPEN_OK, "s", ("",))
        elif method == CONNECTION_CLOSE:
            self.send(CONNECTION_CLOSE_OK)
            return False
        return method != CONNECTION_CLOSE_OK

    def take(self, kind, number, payload):
        """A frame; whether the connection goes on."""
        method = struct.unpack_from(">HH", payload) if kind == METHOD else None
        if kind == HEARTBEAT:
            return True
        if number == 0:
            return self.method(method)
        if method == CHANNEL_OPEN:
            self._channels[number] = Channel(self, number)
        channel = self._channels.get(number)
        if channel is None:
            # It was closed by an error, and what came before the client knew is for nobody.
            return True
        try:
            if kind == METHOD:
                channel.method(method, payload[4:])
            elif kind == HEADER:
                channel.header(payload)
            else:
                channel.body(payload)
        except Refused as refused:
            channel.close()
            del self._channels[number]
            channel.send(CHANNEL_CLOSE, "BsBB", (refused.code, str(refused), *(method or BASIC_PUBLISH)))
        return True


async def serve(broker, reader, writer):
    """A client from its first byte to its last."""
    connection = Connection(broker, writer)
    try:
        await reader.readexactly(len(b"AMQP\x00\x00\x09\x01"))
        connection.start()
        goes_on = True
        while goes_on:
            kind, number, size = struct.unpack(">BHI", await reader.readexactly(7))
            payload = await reader.readexactly(size)
            await reader.readexactly(1)
            goes_on = connection.take(kind, number, payload)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        connection.close()
        writer.close()


async def main():
    broker = Broker()
    server = await asyncio.start_server(lambda *ends: serve(broker, *ends), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
