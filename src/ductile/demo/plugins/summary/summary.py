#!/usr/bin/env python3
"""Pick the sentences of `transcript.txt` that stand for the rest: `summary.txt`.

The method is LexRank: sentences are neighbours when they share words, rare words counting more,
and a sentence is central when its neighbours are. Nothing is made up: the summary consists of
sentences of the transcript, in their order.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from math import log, sqrt
from typing import Any

WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
SENTENCE_END = re.compile(r"[.!?…][\"'\u201d\u2019)\]]*\s+(?=[\"'\u201c\u2018(\[]?[^\W_a-z])")
ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc)|\b[A-Z])\.$")
#: Sentences less alike than this are no neighbours.
LEAST_LIKENESS = 0.02
DAMPING = 0.85
ROUNDS = 40
#: Automatic captions have no full stops; text without them is cut into pieces of this many words.
WORDS_WITHOUT_STOP = 25
WORDS_TOO_MANY = 150


class Failure(Exception):
    """There is nothing to summarise, and another attempt would find no more."""


def handle(config: dict[str, Any]) -> dict[str, Any]:
    """Write the summary and answer with it."""
    count = config.get("sentences", 3)
    if type(count) is not int or count < 1:
        raise Failure(f'expected a number above 0 as "sentences", found {count!r}; correct it')
    try:
        with open("transcript.txt", encoding="utf-8", errors="replace") as file:
            sentences = split(file.read())
    except FileNotFoundError:
        raise Failure(
            "expected transcript.txt in the workspace, found none; "
            "put a step that writes it, such as captions, before this one"
        ) from None
    if not sentences:
        raise Failure("expected text in transcript.txt, found none; look at the step before")
    chosen = pick(sentences, count)
    # A new file under the old name: one that came with the workspace is never written to.
    with open("summary.txt.new", "w", encoding="utf-8") as file:
        file.writelines(sentence + "\n" for sentence in chosen)
    os.replace("summary.txt.new", "summary.txt")
    return {
        "status": "ok",
        "result": f"{len(chosen)} of {len(sentences)} sentences",
        "state_updates": {"summary": " ".join(chosen)},
    }


def split(text: str) -> list[str]:
    """The sentences of a text, each on one line."""
    text = " ".join(text.split())
    sentences: list[str] = []
    start = 0
    for end in SENTENCE_END.finditer(text):
        if not ABBREVIATION.search(text[start : end.start() + 1]):
            sentences.append(text[start : end.end()].strip())
            start = end.end()
    sentences.append(text[start:])
    return [piece for sentence in sentences for piece in pieces(sentence) if piece]


def pieces(sentence: str) -> list[str]:
    """The sentence itself, or equal parts of one that is too long to be a sentence."""
    words = sentence.split()
    if len(words) <= WORDS_TOO_MANY:
        return [sentence]
    step = WORDS_WITHOUT_STOP
    return [" ".join(words[i : i + step]) for i in range(0, len(words), step)]


def pick(sentences: list[str], count: int) -> list[str]:
    """The most central sentences, in the order in which they were said."""
    scores = centrality(neighbours([WORD.findall(sentence.lower()) for sentence in sentences]))
    # Rounded, so that the last bits of a sum do not decide; the earlier sentence wins a tie.
    ranked = sorted(range(len(sentences)), key=lambda i: (-round(scores[i], 9), i))
    return [sentences[i] for i in sorted(ranked[:count])]


def neighbours(sentences: list[list[str]]) -> list[dict[int, float]]:
    """For every sentence its neighbours, with the cosine of their TF-IDF vectors."""
    spread = Counter(word for words in sentences for word in set(words))
    vectors = []
    for words in sentences:
        weights = {w: n * log(len(sentences) / spread[w]) for w, n in Counter(words).items()}
        norm = sqrt(sum(weight**2 for weight in weights.values())) or 1.0
        vectors.append({word: weight / norm for word, weight in weights.items() if weight})
    graph: list[dict[int, float]] = [{} for _ in vectors]
    holders: dict[str, list[int]] = {}
    for i, vector in enumerate(vectors):
        likeness: dict[int, float] = {}
        for word, weight in vector.items():
            for j in holders.setdefault(word, []):
                likeness[j] = likeness.get(j, 0.0) + weight * vectors[j][word]
            holders[word].append(i)
        for j, value in likeness.items():
            if value >= LEAST_LIKENESS:
                graph[i][j] = graph[j][i] = value
    return graph


def centrality(graph: list[dict[int, float]]) -> list[float]:
    """PageRank: every sentence hands its score to its neighbours, by likeness."""
    scores = [1.0] * len(graph)
    totals = [sum(edges.values()) for edges in graph]
    for _ in range(ROUNDS):
        scores = [
            1 - DAMPING + DAMPING * sum(scores[j] * w / totals[j] for j, w in edges.items())
            for edges in graph
        ]
    return scores


def main() -> None:
    """One request on stdin, one response on stdout."""
    request = json.load(sys.stdin)
    try:
        response = handle(request["config"])
    except Failure as failure:
        response = {"status": "error", "error": str(failure), "retry": False}
    json.dump(response, sys.stdout)


if __name__ == "__main__":
    main()
