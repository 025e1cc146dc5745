#!/usr/bin/python3
"""Trains a neural network to read handwritten digits, and survives being stopped.

The data are the 1,797 digits (8x8 pixels) that ship in Debian's python3-sklearn. The network is a
plain numpy perceptron, 64-256-128-10, trained by Adam on shifted copies of the training digits.
After every epoch, and on SIGTERM, the whole state goes to CHECKPOINT_DIR/checkpoint.npz (written
aside, synced, renamed: never half a file). A run that finds one goes on from its last batch, and
ends with the very weights of a run that was never stopped: every random choice of epoch N comes
from the seed and N alone.
"""

import argparse
import os
import signal
import sys
import time

import numpy as np

DATA_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.csv.gz")
LAYERS = (64, 256, 128, 10)
BATCH = 32
COPIES = 6  # shifted copies of each digit per epoch
SEED = 2023

stop_requested = False


def on_sigterm(_signal, _frame):
    global stop_requested
    stop_requested = True


def say(text):
    print(text, flush=True)


def load_digits():
    """The digits as (train images, train labels, test images, test labels); a fixed 80/20 split."""
    table = np.loadtxt(DATA_FILE, delimiter=",")
    order = np.random.default_rng(SEED).permutation(len(table))
    images, labels = table[order, :64] / 16.0, table[order, 64].astype(int)
    test = len(table) // 5
    return images[test:], labels[test:], images[:test], labels[:test]


def shifted(images, rng):
    """Each image moved by -1, 0 or 1 pixels in both directions: new ink, same digit."""
    padded = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    moves = rng.integers(0, 3, size=(len(images), 2))
    rows = moves[:, :1] + np.arange(8)
    columns = moves[:, 1:] + np.arange(8)
    which = np.arange(len(images))[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]].reshape(-1, 64)


class Network:
    """Weights and Adam's moments, in one flat dictionary so that a checkpoint is just that."""

    def __init__(self):
        rng = np.random.default_rng(SEED)
        self.state = {"step": np.array(0), "epoch": np.array(0), "batch": np.array(0),
                      "loss": np.array(0.0)}
        for i, (a, b) in enumerate(zip(LAYERS, LAYERS[1:])):
            self.state[f"w{i}"] = rng.normal(0, np.sqrt(2 / a), (a, b))
            self.state[f"b{i}"] = np.zeros(b)
        for name in self.weights():
            self.state["m_" + name] = np.zeros_like(self.state[name])
            self.state["v_" + name] = np.zeros_like(self.state[name])

    @staticmethod
    def weights():
        return [f"{kind}{i}" for i in range(len(LAYERS) - 1) for kind in "wb"]

    def forward(self, x):
        """Every layer's output, the last one as class probabilities."""
        outputs = [x]
        for i in range(len(LAYERS) - 1):
            x = x @ self.state[f"w{i}"] + self.state[f"b{i}"]
            if i < len(LAYERS) - 2:
                x = np.maximum(x, 0)
            outputs.append(x)
        x = np.exp(x - x.max(axis=1, keepdims=True))
        outputs[-1] = x / x.sum(axis=1, keepdims=True)
        return outputs

    def learn(self, x, labels, rate):
        """One step of Adam on one batch; returns the batch's cross-entropy before it."""
        outputs = self.forward(x)
        hit = np.arange(len(labels)), labels
        loss = -np.log(outputs[-1][hit] + 1e-12).mean()
        delta = outputs[-1].copy()
        delta[hit] -= 1
        delta /= len(labels)
        self.state["step"] = self.state["step"] + 1
        for i in reversed(range(len(LAYERS) - 1)):
            gradients = {f"w{i}": outputs[i].T @ delta, f"b{i}": delta.sum(axis=0)}
            delta = (delta @ self.state[f"w{i}"].T) * (outputs[i] > 0)
            for name, gradient in gradients.items():
                self.adam(name, gradient, rate)
        return loss

    def adam(self, name, gradient, rate):
        s, t = self.state, int(self.state["step"])
        s["m_" + name] = 0.9 * s["m_" + name] + 0.1 * gradient
        s["v_" + name] = 0.999 * s["v_" + name] + 0.001 * gradient**2
        m = s["m_" + name] / (1 - 0.9**t)
        v = s["v_" + name] / (1 - 0.999**t)
        s[name] = s[name] - rate * m / (np.sqrt(v) + 1e-8)

    def accuracy(self, x, labels):
        return (self.forward(x)[-1].argmax(axis=1) == labels).mean()

    def save(self, path):
        aside = path + ".new"
        with open(aside, "wb") as file:
            np.savez(file, **self.state)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def load(self, path):
        with np.load(path) as file:
            self.state = {name: file[name] for name in file.files}


def train_epoch(network, images, labels, path):
    """The rest of the network's current epoch; its mean loss, or nothing when asked to stop."""
    epoch = int(network.state["epoch"])
    rng = np.random.default_rng([SEED, epoch])
    many = np.concatenate([shifted(images, rng) for _ in range(COPIES)])
    order = rng.permutation(len(many))
    batches = len(many) // BATCH
    for batch in range(int(network.state["batch"]), batches):
        if stop_requested:
            network.save(path)
            return None
        pick = order[batch * BATCH:(batch + 1) * BATCH]
        loss = network.learn(many[pick], labels[pick % len(labels)], rate=1e-3 * 0.9**epoch)
        network.state["loss"] = network.state["loss"] + loss
        network.state["batch"] = np.array(batch + 1)
    mean = float(network.state["loss"]) / batches
    network.state.update(epoch=np.array(epoch + 1), batch=np.array(0), loss=np.array(0.0))
    network.save(path)
    return mean


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default 10)")
    parser.add_argument("--checkpoint", default="/data", metavar="DIR",
                        help="where the state is kept (default /data)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, on_sigterm)

    rank, size = int(os.environ.get("AMPACITY_RANK", 0)), int(os.environ.get("AMPACITY_SIZE", 1))
    name = "checkpoint.npz" if size == 1 else f"checkpoint-{rank}.npz"
    os.makedirs(options.checkpoint, exist_ok=True)
    path = os.path.join(options.checkpoint, name)
    if size > 1:
        say(f"rank {rank} of {size}")

    images, labels, test_images, test_labels = load_digits()
    network = Network()
    if os.path.exists(path):
        network.load(path)
        say(f"resumed from epoch {int(network.state['epoch'])}")
    say(f"training on {len(images)} digits, testing on {len(test_images)}")

    while int(network.state["epoch"]) < options.epochs:
        began = time.monotonic()
        loss = train_epoch(network, images, labels, path)
        if loss is None:
            say(f"stopped in epoch {int(network.state['epoch']) + 1}: checkpoint written")
            return 143
        say(f"epoch {int(network.state['epoch'])}/{options.epochs}  loss {loss:.4f}  "
            f"test accuracy {network.accuracy(test_images, test_labels):.4f}  "
            f"{time.monotonic() - began:.1f} s")
    say(f"done: test accuracy {network.accuracy(test_images, test_labels):.4f} "
        f"after {options.epochs} epochs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
