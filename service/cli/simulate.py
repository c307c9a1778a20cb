"""Make a plant that never was: readings, events, a plant file, and the truth beside them."""

from datetime import datetime
from pathlib import Path

import click

from service.cli.call import MOMENT, current_call, in_zone, shared_options
