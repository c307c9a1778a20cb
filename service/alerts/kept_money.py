"""What the loss behind each alert costs an hour, kept beside it: one row an alert, none where nobody knows."""

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from ingest.statement import insert_into
from service.alerts.alert import AlertState
from service.alerts.tables import alert_money_table, alert_table


def keep_money(connection: Connection, number: int, per_hour: float | None) -> None:
    """Write down what an alert's loss costs an hour now; what was said before is replaced."""
    if per_hour is None:
        connection.execute(delete(alert_money_table).where(alert_money_table.c.alert == number))
        return
    statement = insert_into(connection, alert_money_table).values(alert=number, per_hour=per_hour)
    anew = {"per_hour": statement.excluded["per_hour"]}
    connection.execute(statement.on_conflict_do_update(index_elements=["alert"], set_=anew))


def kept_money(connection: Connection) -> Mapping[int, float]:
    """Return what the loss of each open alert costs an hour, by its number, of which that is known."""
    money, alert = alert_money_table.c, alert_table.c
    query = select(money.alert, money.per_hour).join(alert_table, alert.number == money.alert)
    return {row.alert: row.per_hour for row in connection.execute(query.where(alert.state != AlertState.NORMAL.value))}
