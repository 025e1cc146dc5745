"""Jobs offered at a steady rate to several servers, whatever they answer: each has its own
Idempotency-Key and is sent again, here or there, until it is acknowledged. Remembers what was."""

import asyncio
import json
import threading
import time


class Load:
    """Runs on a thread of its own between start() and stop(); stop() waits for what is on its way."""

    def __init__(self, ports, key, tag, rate=500, connections=96):
        self.ports, self.key, self.tag = list(ports), key, tag
        self.rate, self.connections = rate, connections
        self.body = {"image": "load", "resources": {"gpus": "h100:1"}, "command": ["train"]}
        self.acknowledged = {}  # number: (id, when)
        self.answers = {}       # status: how often; "cut": the connection ended first
        self.offered = 0
        self.offering = True
        self.lasting_s = 60     # for what is still unanswered at stop()

    def start(self):
        self.began = time.monotonic()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        self.offering = False
        self.thread.join(timeout=self.lasting_s + 30)
        return self

    def longest_silence(self, since):
        """(seconds, when it ended): the longest time without an acknowledgement after `since`."""
        times = sorted(at for _, at in list(self.acknowledged.values()) if at > since)
        gaps = [(b - a, b) for a, b in zip([since] + times, times)]
        return max(gaps) if gaps else (float("inf"), since)

    def first_after(self, since):
        return min((at for _, at in list(self.acknowledged.values()) if at > since),
                   default=float("inf"))

    async def _run(self):
        self.queue = asyncio.Queue()
        workers = [asyncio.create_task(self._work(n)) for n in range(self.connections)]
        while self.offering:
            due = int((time.monotonic() - self.began) * self.rate)
            while self.offered < due:
                self.queue.put_nowait(self.offered)
                self.offered += 1
            await asyncio.sleep(0.005)
        for _ in workers:
            self.queue.put_nowait(None)
        await asyncio.wait(workers, timeout=self.lasting_s)

    async def _work(self, n):
        at = n % len(self.ports)
        line = None
        while (number := await self.queue.get()) is not None:
            request = self._request(number)
            while True:
                try:
                    if line is None:
                        line = await asyncio.wait_for(
                            asyncio.open_connection("127.0.0.1", self.ports[at]), 2)
                    status, text = await asyncio.wait_for(self._ask(line, request), 4)
                    self.answers[status] = self.answers.get(status, 0) + 1
                    if status == 201:
                        self.acknowledged[number] = (json.loads(text)["id"], time.monotonic())
                        break
                    if status not in (429, 503):
                        raise AssertionError(f"job {number}: {status} {text}")
                except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                    self.answers["cut"] = self.answers.get("cut", 0) + 1
                    if line:
                        line[1].close()
                    line = None
                    at = (at + 1) % len(self.ports)
                await asyncio.sleep(0.1)

    def _request(self, number):
        body = json.dumps({**self.body, "name": f"{self.tag}-{number}"})
        return (f"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Type: application/json\r\nIdempotency-Key: {self.tag}-{number}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    @staticmethod
    async def _ask(line, request):
        reader, writer = line
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(h.split(":")[1]) for h in head.split("\r\n")
                      if h.lower().startswith("content-length:"))
        return int(head.split(" ")[1]), (await reader.readexactly(length)).decode()
