"""The small tables from which the shipped catalogue is generated: departments, materials, subjects, actions.

Sizes are facts (F34: 14 departments, 1,436 items; F35: 98 scenes; F39: 42 items across regions). Which departments,
what items are called and how they are made is *generated*: structured like real ones, none of them is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.control.services.catalogue.items import Department, Material

#: code, name, English name, number of items (sum 1,436), subjects of its items
DEPARTMENTS: tuple[tuple[str, str, str, int, tuple[str, ...]], ...] = (
    ("MR", "市场监管", "market regulation", 132,
     ("公司", "合伙企业", "个人独资企业", "个体工商户", "农民专业合作社", "食品经营", "食品小作坊", "药品零售",
      "医疗器械", "特种设备", "计量器具", "广告发布")),
    ("AS", "行政审批", "approval service", 118,
     ("人力资源服务", "劳务派遣", "公共场所卫生", "民办培训", "典当", "印刷", "出版物零售", "娱乐场所",
      "网吧", "拍卖", "旅行社", "文物商店")),
    ("PS", "公安", "public security", 156,
     ("户口", "居民身份证", "居住证", "出入境证件", "机动车", "驾驶证", "旅馆业", "公章刻制", "保安服务",
      "大型活动", "养犬", "边境通行")),
    ("HR", "人力资源和社会保障", "human resources and social security", 148,
     ("社会保险", "养老保险", "失业保险", "工伤保险", "就业", "职业资格", "人才引进", "劳动合同", "创业担保",
      "退休", "技能培训", "人事档案")),
    ("MI", "医疗保障", "medical insurance", 62,
     ("职工医保", "居民医保", "生育保险", "异地就医", "门诊慢特病", "医疗救助")),
    ("TX", "税务", "taxation", 121,
     ("税务", "发票", "增值税", "企业所得税", "个人所得税", "契税", "印花税", "出口退税", "社保费", "房产税",
      "车船税")),
    ("NP", "自然资源和规划", "natural resources and planning", 112,
     ("不动产权", "抵押权", "建设用地", "建设工程规划", "乡村建设规划", "临时用地", "土地出让", "地名", "林木采伐",
      "测绘")),
    ("HC", "住房和城乡建设", "housing and construction", 138,
     ("建筑施工", "施工图", "商品房预售", "公租房", "住房公积金", "物业", "燃气", "供热", "占道挖掘", "户外广告",
      "建筑业企业资质", "消防设计")),
    ("TR", "交通运输", "transport", 86,
     ("道路货运", "道路客运", "网约车", "出租汽车", "机动车维修", "驾驶培训", "超限运输", "公路占用")),
    ("HE", "卫生健康", "health", 94,
     ("医疗机构", "医师执业", "护士执业", "生育", "放射诊疗", "母婴保健", "职业病", "饮用水", "计划生育奖励")),
    ("CA", "民政", "civil affairs", 71,
     ("婚姻", "低保", "社会团体", "民办非企业", "养老机构", "残疾人", "殡葬")),
    ("ED", "教育", "education", 58,
     ("民办学校", "幼儿园", "教师资格", "入学", "学籍", "学生资助")),
    ("AW", "农业农村和水务", "agriculture and water", 76,
     ("农作物种子", "动物防疫", "农药经营", "渔业", "农机", "取水", "水土保持", "宅基地")),
    ("EE", "生态环境和应急", "ecology and emergency", 64,
     ("环境影响", "排污", "危险废物", "危险化学品", "安全生产", "烟花爆竹")),
)  # fmt: skip


def departments() -> tuple[Department, ...]:
    """Return the 14 departments."""
    return tuple(Department(code, name, en) for code, name, en, _, _ in DEPARTMENTS)


@dataclass(frozen=True)
class Pattern:
    """How items of one action are made (assumed, after the usual shape of such items).

    ``legal_days``: the limits that occur; ``others``: most other departments that review; ``visit``: whether an
    inspector comes; ``more``: fewest and most materials beside the basic ones; ``person``: share for persons, of 10.
    ``often``: relative frequency.
    """

    name: str
    kind: str
    legal_days: tuple[int, ...]
    others: int
    visit: bool
    more: tuple[int, int]
    person: int
    often: float


ACTIONS: tuple[Pattern, ...] = (
    Pattern("设立登记", "licence", (3, 5, 10, 20), 2, False, (3, 6), 1, 2.0),
    Pattern("变更登记", "licence", (3, 5, 10, 15), 1, False, (2, 5), 3, 2.5),
    Pattern("注销登记", "licence", (3, 5, 10), 1, False, (2, 4), 3, 1.2),
    Pattern("许可", "licence", (15, 20, 20, 30), 3, True, (4, 8), 0, 1.0),
    Pattern("许可延续", "licence", (10, 15, 20), 2, True, (3, 5), 0, 0.8),
    Pattern("备案", "filing", (1, 5, 10), 1, False, (2, 4), 3, 2.0),
    Pattern("资格认定", "confirmation", (10, 20, 30), 2, False, (3, 6), 6, 0.8),
    Pattern("证书换发", "certificate", (1, 5, 7), 0, False, (1, 3), 8, 2.5),
    Pattern("证书补发", "certificate", (1, 5, 7), 0, False, (1, 3), 8, 1.5),
    Pattern("待遇申领", "payment", (5, 10, 15, 20), 1, False, (2, 5), 9, 2.0),
    Pattern("补贴申领", "payment", (10, 15, 20), 2, True, (3, 6), 7, 1.0),
    Pattern("信息查询证明", "certificate", (1, 1, 3), 0, False, (0, 1), 8, 3.0),
    Pattern("年度报告", "filing", (1, 5), 0, False, (1, 3), 0, 1.0),
)

_M = Material
FORM, ID, BUSINESS, AGENT = "form", "id-card", "business-licence", "agent-id"
MATERIALS: tuple[Material, ...] = (
    _M(FORM, "申请表", "application form", licence=False),
    _M(ID, "居民身份证", "identity card", licence=True, basic=True),
    _M(BUSINESS, "营业执照", "business licence", licence=True, basic=True),
    _M(AGENT, "经办人身份证", "identity card of the agent", licence=True, basic=True),
    _M("proxy", "授权委托书", "power of attorney", licence=False),
    _M("legal-rep-id", "法定代表人身份证", "identity card of the legal representative", licence=True, others=1),
    # two partners at least: Partnership Enterprise Law, art. 14
    _M("member-id", "股东（合伙人）身份证明", "identity of shareholders or partners", licence=True, others=2),
    _M("household", "户口簿", "household register", licence=True),
    _M("marriage", "结婚证", "marriage certificate", licence=True),
    _M("birth", "出生医学证明", "birth certificate", licence=True),
    _M("property", "不动产权证书", "real estate certificate", licence=True),
    _M("degree", "学历学位证书", "degree certificate", licence=True),
    _M("qualification", "职业资格证书", "professional qualification", licence=True),
    _M("tax-paid", "完税证明", "tax payment certificate", licence=True),
    _M("tax-clear", "清税证明", "tax clearance certificate", licence=True),
    _M("insured", "社保缴费证明", "social insurance record", licence=True),
    _M("no-record", "无犯罪记录证明", "certificate of no criminal record", licence=True),
    _M("vehicle", "机动车行驶证", "vehicle licence", licence=True),
    _M("planning", "规划许可证", "planning permit", licence=True),
    _M("fire", "消防验收意见", "fire acceptance opinion", licence=True),
    _M("environment", "环评批复", "environmental approval", licence=True),
    _M("land-use", "土地使用证", "land use certificate", licence=True),
    _M("permit", "原许可证", "permit held so far", licence=True),
    _M("health", "健康证明", "health certificate", licence=True),
    _M("cancelled", "注销登记通知书", "notice of cancellation", licence=True),
    _M("notice-proof", "债权人公告证明", "proof of notice to creditors", licence=False),
    _M("premises", "场所使用证明", "proof of premises", licence=False),
    _M("articles", "章程", "articles of association", licence=False),
    _M("resolution", "决议决定", "resolution", licence=False),
    _M("appointment", "任职文件", "letters of appointment", licence=False),
    _M("pledge", "承诺书", "pledge", licence=False),
    _M("accounts", "财务报表", "financial statements", licence=False),
    _M("liquidation", "清算报告", "liquidation report", licence=False),
    _M("audit", "审计（评估）报告", "audit or valuation report", licence=False),
    _M("assets", "债权债务清册", "list of claims and debts", licence=False),
    _M("invoices", "空白发票及税控设备", "blank invoices and tax control device", licence=False),
    _M("seals", "原印章", "old seals", licence=False),
    _M("bank", "银行账户证明", "proof of bank account", licence=False),
    _M("plan", "方案", "plan", licence=False),
    _M("drawings", "图纸", "drawings", licence=False),
    _M("test-report", "检测报告", "test report", licence=False),
    _M("equipment", "设备清单", "list of equipment", licence=False),
    _M("staff-list", "人员名册", "list of staff", licence=False),
    _M("rules", "管理制度", "internal rules", licence=False),
    _M("contract", "合同", "contract", licence=False),
    _M("photo", "照片", "photograph", licence=False),
    _M("medical", "病历及费用单据", "medical records and bills", licence=False),
)

#: what generated items may ask for beside form and identity, by who applies
OFTEN_PERSON = (
    "household", "marriage", "birth", "property", "degree", "qualification", "insured", "no-record", "vehicle",
    "health", "permit", "photo", "contract", "bank", "medical", "pledge", "premises", "tax-paid",
)  # fmt: skip
OFTEN_COMPANY = (
    "legal-rep-id", "member-id", "property", "qualification", "tax-paid", "insured", "planning", "fire",
    "environment", "land-use", "permit", "premises", "articles", "resolution", "appointment", "pledge", "accounts",
    "plan", "drawings", "test-report", "equipment", "staff-list", "rules", "contract", "proxy",
)  # fmt: skip

#: trades of which a company opens, changes or closes one place: 21 × 3 scenes
TRADES = (
    "餐馆", "便利店", "药店", "超市", "宾馆", "健身房", "理发店", "书店", "诊所", "幼儿园", "培训机构", "养老院",
    "汽修厂", "加油站", "货运公司", "物流仓库", "食品加工厂", "新能源汽车配件厂", "新材料厂", "建筑公司", "劳务公司",
)  # fmt: skip
TRADE_ACTS = ("开办", "变更", "注销")
#: scenes of people: 34
LIFE = (
    "新生儿出生", "婚育", "入园", "小学入学", "初中入学", "转学", "高校毕业生就业", "失业", "企业职工退休", "公民身后",
    "二手房转移", "新房交付", "公租房申请", "公积金提取", "新车上牌", "二手车转让", "驾照换证", "医保转移", "异地就医",
    "残疾人服务", "退役军人服务", "灵活就业", "人才落户", "户口迁移", "加装电梯", "居住证办理", "出国留学", "高龄津贴",
    "社会救助", "创业贷款", "大学生补贴", "宅基地建房", "农机购置", "水电气报装",
)  # fmt: skip
CROSS_REGION = 42
#: actions that end or replace a paper: its original is handed back (usual guides: business licence, permit)
SURRENDERING = ("变更登记", "注销登记", "许可延续", "证书换发")
#: departments and subjects whose business licence is the paper that is replaced
REGISTRAR = "MR"
