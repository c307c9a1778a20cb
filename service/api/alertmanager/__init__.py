"""Alertmanager's interface, version 2: ``amtool`` and Prometheus work against Andon as they are."""

from fastapi import APIRouter

from service.api.alertmanager import alerts, groups, posting, receivers, silences, status

router = APIRouter(tags=["alertmanager"])
for each in (status, receivers, groups, alerts, posting, silences):
    router.include_router(each.router)
