"""The command: files and a copy in, an empty database full.

    python -m loaders.spark --work FOLDER [--copy COPY] [SOURCE=]FILE…

Spark's own settings come from `spark-submit`, `SPARK_HOME/conf` or PYSPARK_SUBMIT_ARGS.
"""

import shutil
import sys
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import click
from pyspark.sql import SparkSession

from identity import ROOT, create_app
from identity.cli import exits
from identity.config import Config
from identity.errors import Conflict, IdentityError, Unavailable
from loaders.spark.loading import Order, carry_out
from loaders.spark.told import Given


@click.command()
@click.argument("files", nargs=-1, metavar="[SOURCE=]FILE...")
@click.option("--copy", type=click.Path(path_type=Path), help="What export --evidence wrote.")
@click.option(
    "--work",
    required=True,
    type=click.Path(path_type=Path),
    help="A folder that is not there yet and that every machine sees. Holds customers' data.",
)
@click.option("--as-it-is", is_flag=True, help="Join whatever strangers share, too.")
def main(files: tuple[str, ...], copy: Path | None, work: Path, *, as_it_is: bool) -> None:
    """Load files of customers, and a copy of all evidence, into an empty database.

    As if flask identity import had taken the copy, and then each file after the other. SOURCE is
    who tells what a file says; the kind of export when absent.
    """
    if not files and copy is None:
        raise click.UsageError("Name a file, or a copy with --copy.")
    config = Config.from_environment()
    given = [each for file in files for each in _given(file, config.default_phone_region)]
    try:
        work.mkdir(mode=0o700)
    except OSError as error:
        raise click.UsageError(f"{work}: {error.strerror}.") from None
    # Where workers are on this machine, they find our functions where it does.
    builder = SparkSession.builder.appName("identity")
    spark = builder.config("spark.executorEnv.PYTHONPATH", str(ROOT)).getOrCreate()
    try:
        with create_app(config).app_context():
            order = Order(given, copy, work.absolute(), config.many_strangers, as_it_is)
            doubted = carry_out(spark, order)
    except Unavailable as problem:
        click.echo(str(problem), err=True)
        sys.exit(exits.of_database(problem))
    except (IdentityError, OSError) as problem:
        click.echo(str(problem), err=True)
        sys.exit(exits.REFUSED if isinstance(problem, Conflict) else exits.UNUSABLE)
    finally:
        spark.stop()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(exits.DOUBTS if doubted else exits.DONE)


def _given(argument: str, region: str | None) -> Iterator[Given]:
    feed, _, path = argument.rpartition("=")
    # Behind a name, the shell leaves a * as it is.
    for file in sorted(glob(path)) or [path]:
        yield Given(str(Path(file).absolute()), feed, region)


if __name__ == "__main__":
    main()
