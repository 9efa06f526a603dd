"""The jars of a Kafka broker, by Maven into a cache: once per machine, however many workers ask at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import NoServerError
from tests.testdata import CHECKOUT

BOOTSTRAP = "TEST_KAFKA_BOOTSTRAP"
"""Variable that names an outside broker: HOST:PORT, several parted by commas."""
CACHE = "TOUCHPOINT_KAFKA_CACHE"
"""Variable that names the folder of the jars, default `.cache/kafka` of the checkout."""
VERSION = "4.3.1"
LOG4J = "2.25.4"
NAME = f"Kafka {VERSION} (KRaft)"

# No namespace: it is the address of a host, and Maven reads the file without.
POM = f"""<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>touchpoint</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
    </dependency>
    <dependency><!-- without it a broker writes no log -->
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>{LOG4J}</version>
    </dependency>
  </dependencies>
</project>
"""


@dataclass(frozen=True, slots=True)
class FoundKafka:
    """A Kafka that can be used: its bootstrap address, or else the folder of its jars; `how` it was found."""

    how: str
    version: str
    bootstrap: str | None = None
    jars: Path | None = None


def find_kafka(environment: Mapping[str, str] = os.environ) -> FoundKafka:
    """Look for an outside broker, then for Java and the jars, which Maven gets if the cache has none.

    Raises NoServerError where Java or Maven is missing or Maven cannot get them.
    """
    if bootstrap := environment.get(BOOTSTRAP):
        return FoundKafka(f"{BOOTSTRAP} {bootstrap}", "Kafka (outside)", bootstrap=bootstrap)
    path = environment.get("PATH", "")
    if shutil.which("java", path=path) is None:
        raise NoServerError(f"no java on PATH and no ${BOOTSTRAP}")
    cache = Path(environment.get(CACHE) or CHECKOUT / ".cache" / "kafka")
    jars = cache / VERSION
    if not jars.exists():
        if (maven := shutil.which("mvn", path=path)) is None:
            raise NoServerError(f"no mvn on PATH, no jars in {cache} and no ${BOOTSTRAP}")
        _fill(jars, maven)
    return FoundKafka(f"jars in {cache}", NAME, jars=jars)


def _fill(jars: Path, maven: str) -> None:
    """Have Maven get the jars; the folder appears when it is complete."""
    cache = jars.parent
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if jars.exists():
            return
        part = cache / f"{VERSION}.part"
        shutil.rmtree(part, ignore_errors=True)
        pom = cache / "pom.xml"
        pom.write_text(POM, encoding="utf-8")
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        done = subprocess.run(
            [*command, "-DincludeScope=runtime", f"-DoutputDirectory={part}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not list(part.glob(f"kafka_2.13-{VERSION}.jar")):
            said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
            raise NoServerError(f"Maven got no jars: {said[0][:200] if said else done.returncode}")
        part.rename(jars)
