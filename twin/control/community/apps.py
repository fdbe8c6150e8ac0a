"""The 43 apps of the community platform (F30): names are generated, kinds and what they feed are assumed.

``feeds``: themes that are reported through it ("" none: it serves, and only brings people to the platform).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class App:
    """One app; its number is its row in APPS. ``share``: of all uses that are no reports."""

    name: str
    name_en: str
    kind: str
    feeds: tuple[str, ...] = ()
    share: float = 1.0


APPS: tuple[App, ...] = (
    App("随手拍", "Snap and report", "report", ("garbage", "bikes", "vendors", "road", "ponding", "straw"), 0.0),
    App("消防通道随手报", "Fire lanes", "report", ("fire_lane",), 0.0),
    App("高空抛物举报", "Thrown objects", "report", ("thrown",), 0.0),
    App("电动车入楼举报", "E-bikes indoors", "report", ("ebike",), 0.0),
    App("井盖上报", "Manhole covers", "report", ("manhole",), 0.0),
    App("燃气电梯报修", "Gas and lifts", "report", ("gas", "lift"), 0.0),
    App("水域安全上报", "Safe waters", "report", ("water", "level"), 0.0),
    App("火情上报", "Fires", "report", ("fire",), 0.0),
    App("工地扬尘监督", "Sites and dust", "report", ("site", "dust"), 0.0),
    App("人群拥挤提醒", "Crowds", "report", ("crowd",), 0.0),
    App("邻里积分", "Neighbour points", "points", share=3.0),
    App("积分超市", "Points shop", "points", share=2.0),
    App("志愿者", "Volunteers", "points"),
    App("物业缴费", "Property fees", "property", share=4.0),
    App("物业报修", "Repairs", "property", share=3.0),
    App("访客通行", "Visitors", "property", share=3.0),
    App("停车共享", "Shared parking", "property", share=2.0),
    App("充电桩预约", "Charging", "property", share=2.0),
    App("快递代收", "Parcels", "property", share=3.0),
    App("垃圾分类", "Sorting waste", "property"),
    App("业主投票", "Owners' votes", "self-government", share=0.5),
    App("议事厅", "Round table", "self-government", share=0.5),
    App("网格员直通", "My grid worker", "self-government"),
    App("社区公告", "Notices", "self-government", share=3.0),
    App("民意速办", "Wishes", "self-government"),
    App("一老一小", "Old and young", "care"),
    App("助老餐厅", "Canteen for the old", "care", share=1.5),
    App("居家养老", "Care at home", "care", share=0.5),
    App("日间托育", "Nursery", "care", share=0.5),
    App("残疾人服务", "Help for the disabled", "care", share=0.3),
    App("家庭医生", "Family doctor", "health", share=1.5),
    App("预约挂号", "Appointments", "health", share=2.0),
    App("健康档案", "Health file", "health", share=0.5),
    App("急救互助", "First aid", "health", share=0.2),
    App("入学报名", "School places", "learning", share=0.5),
    App("社区课堂", "Classes", "learning"),
    App("图书借阅", "Library", "learning", share=0.7),
    App("文体场馆", "Halls and fields", "culture", share=1.5),
    App("社区活动", "Events", "culture", share=2.0),
    App("邻里集市", "Flea market", "market", share=1.5),
    App("便民菜场", "Vegetables", "market", share=2.0),
    App("就业服务", "Jobs", "services", share=0.7),
    App("帮办代办", "Errands at the hall", "services"),
)


def app_of(theme: str) -> int:
    """Return the number of the app by which a theme is reported; 0, the general one, where none is its own."""
    return next((i for i, app in enumerate(APPS) if theme in app.feeds), 0)
