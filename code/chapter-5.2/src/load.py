"""Measure how many answers a service gives, and how long one takes."""

import gevent.monkey

gevent.monkey.patch_all()  # the clients share one process, and take turns while they wait

import argparse
import random
from pathlib import Path

import gevent
from locust import FastHttpUser, constant, task
from locust.env import Environment

PICTURES = [path.read_bytes() for path in sorted(Path("data/raw").glob("*/*.jpg"))[::20]]


class Client(FastHttpUser):
    """Asks, waits for the answer, and asks again."""

    wait_time = constant(0)

    @task
    def predict(self) -> None:
        picture = random.choice(PICTURES)
        self.client.post("/predict", files={"image": ("picture.jpg", picture, "image/jpeg")})


def measure(host: str, clients: int, seconds: float) -> str:
    """Let some clients ask for some seconds, and say in a line how it went."""
    environment = Environment(user_classes=[Client], host=host)
    runner = environment.create_local_runner()
    runner.start(clients, spawn_rate=clients)
    gevent.sleep(1)  # what is slow only in the beginning does not count
    environment.stats.reset_all()
    gevent.sleep(seconds)
    total = environment.stats.total
    line = (
        f"{clients:2} clients: {total.num_requests / seconds:4.0f} answers a second, "
        f"half within {total.median_response_time:.0f} ms, "
        f"95 % within {total.get_response_time_percentile(0.95):.0f} ms, {total.num_failures} failed"
    )
    runner.quit()
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="http://127.0.0.1:3000")
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    for clients in 1, 32:
        print(measure(arguments.host, clients, arguments.seconds))


if __name__ == "__main__":
    main()
