"""Which characters are mistaken for each other, by sound (pinyin without tone) or by looks: a small table of our own.

Input methods offer characters of one sound, so most mistakes of typing Chinese are homophones: 营业职照 for 营业执照.
A line holds groups of characters that are taken as one; a character belongs to the first group that has it. Sounds that
people mix (n/ng, l/n, z/zh) are sometimes kept together.
"""

from __future__ import annotations

GROUPS = """
执职值只直指纸之知止支植殖制治至志质致智置织旨资子字自姿紫
证正政争征整症郑镇震针真阵珍诊振贞
照找赵招着兆罩 业页夜叶也野爷 营迎应影硬映英盈赢鹰 竟境竞京经镜静井景警精净劲敬径
公工功供宫攻共贡恭 积基机几记技计集级极急及吉级寄继际既季纪己击激绩籍藉辑迹鸡疾挤计济寂祭 金今进近尽仅紧津斤巾锦禁
社设舍摄涉射蛇杜 保宝报堡饱包暴爆抱豹炮泡跑 险显线现限县先鲜仙陷献嫌闲
身神申审深什慎伸沈绅甚渗肾 份分芬纷粉奋愤粪
户护互湖胡糊乎沪 口扣寇 居局聚具据举句剧距巨菊拒俱 住主注驻祝助著柱猪竹主筑株铸诸
驾架加家嫁甲价假夹佳 驶使师实事时食是市式试世室视始史识士石适释势施湿饰拾蚀失氏十什狮诗尸
机车彻撤扯东 汽气器起期奇七齐其企骑旗妻弃泣砌契戚欺棋
医一衣以意义议依易益移已异艺疑亦役遗疫仪译亿宜伊翼亿姨椅
疗料聊廖辽撩诊 养样洋阳扬央羊仰氧痒 老劳捞牢佬 失湿 待带代戴贷袋呆怠 遇预欲育域玉雨语与于余鱼渔愉宇羽寓御誉予喻狱浴
补不布部步捕簿卜哺埔 贴帖铁 发法罚乏伐阀 漂票飘飘瓢 税睡水说谁 契
增赠曾憎 所锁索缩 得的德地弟第帝低底抵递敌滴堤蒂迪笛低
出处初除楚储厨触础畜 退推腿颓体 房方防放访仿纺妨芳坊 产铲缠掺颤
权全劝泉拳圈券犬 押压鸭牙亚雅哑崖 建件见间减简检监健渐剑健践肩坚尖碱键荐戬 用永勇拥涌泳佣
规归贵鬼柜桂龟轨诡跪 划画化华话花滑哗 林临邻淋琳磷 采彩踩财材才菜裁猜 测侧策册厕 绘会汇惠回灰慧挥辉毁悔徽贿晦
施 图途土突涂徒吐屠兔 预玉予 售受手收首守寿授瘦兽 租组足族祖阻卒 物务无五午武舞误雾悟屋勿吴乌污巫伍 燃然染 热惹
占站战展粘沾斩暂赞咱 道到倒稻导岛刀盗蹈 挖瓦娃蛙 掘决绝觉爵 户 外歪 广光逛 告高搞稿膏糕 资质 消校小笑销晓效肖削宵孝
路录陆鹿露炉鲁卢 货或获活火伙祸惑 运云允韵孕晕匀 客课刻可科克颗壳渴科 网往忘望王汪旺 约月越跃阅岳悦
租 维为卫位未味委威微围危尾伟伪喂唯魏慰谓胃 修休秀袖绣羞 培陪配赔佩裴沛 训讯迅寻巡询训循逊熏
超抄炒吵朝潮钞 限 输书属数树熟术暑署鼠述束叔舒殊疏 占 机 构够购狗沟勾苟 护士土 执
放 射 诊 母亩木目牧幕墓慕穆 婴英 健 病并冰饼兵丙柄 饮引因音银阴印隐饮寅吟 用 水
婚昏混魂浑荤 姻因 低 保 团 养 残惨餐参灿蚕 疾 人仁认任忍刃壬 殡宾滨彬缤 葬藏脏赃
民敏闽皿 办半班般板版伴扮瓣搬 学雪血穴薛 较叫教交角脚焦胶骄娇郊觉缴 幼有友又右由油游优忧幽悠邮尤诱 儿而耳尔二
园圆员元原院远愿缘源怨援袁
教 师 格个各歌革隔哥阁搁割葛 入如乳辱儒茹 籍 学生升声省胜盛圣剩牲绳 资
农浓弄脓 作做坐座昨左 种中重众终钟忠肿仲 籽 动冻洞懂董栋 防 疫 药要腰摇邀耀咬遥 经 渔 取去曲区趋驱趣屈娶 土
持迟吃池赤尺翅齿匙痴特
宅摘债窄寨斋 环还换欢缓患唤幻 境 响向想项象像相香乡箱享详 排牌派拍徘 污 危 废费非飞肥肺匪沸菲 险 化 品聘拼贫频
安案按暗岸庵俺 全 烟演严言研沿盐眼验延颜艳焰燕宴厌咽炎颜
花 竹祝 爆 许须需续序虚徐绪叙恤畜 可 延 续 备背倍北贝被悲辈杯卑惫狈 案 变便边编遍辩 更耕 登等灯邓 记
立力利里理离历例礼李丽厉励粒隶莉梨璃
查茶差察插叉 询 信新心欣辛薪芯 息 证明名鸣命铭 年念粘 度读独毒督渡杜肚 报 告
劳 务 派潜遣千钱前签浅欠铅谦 旅履绿律虑率驴吕 行形型性星兴醒幸姓邢杏 典点电店殿垫淀 当党挡荡 印 刷耍 版
零另领令灵龄玲铃岭 娱愚 乐了勒
吧八把爸巴拔罢霸 拍 卖买迈麦 文问稳闻纹温 商上伤尚赏 场厂常长尝肠偿畅唱昌 卫 食 品 营 小 坊
械戒戒借接解届界街节结杰姐介洁阶劫捷截皆揭 特 种 设 量亮两良粮梁辆凉 具 计 专转赚砖 合和河何核荷禾贺盒 伙 个 独
体提题替梯踢惕剃 失 创窗床闯 业 担单但丹旦淡弹胆 技 能 培 档当 档挡 案 引 进 才 引
职 工 异 就旧救究久九酒求球纠秋揪舅 门闷们 慢漫满曼蛮瞒 求救 救
境 香 出 刻 章张涨掌丈帐账障仗仗彰 保 安 型 大达答打搭 活 养 犬大 边 通同统痛童桶铜筒 居
公 租 住 积 供 热 施 途 房 消 设 计 宅 基 机 农 排 放 学 藉 缺却确雀 申 缴 销 户
财 彩 奖讲将江降匠姜蒋酱 励 高 新 精 研 投头透偷 入 稳 扩阔 岗刚钢港 扶服福负府复夫副富付妇附父浮幅赋伏符 息 升 规
外 技 改该概盖钙 造早遭枣糟灶
残 及级 开凯慨 发 馆管官关观惯冠灌罐 饭犯范反返凡番翻烦泛 灵 活 移
"""


#: characters that look alike
LOOKS = """
口囗 休体 己已巳 末未 土士 日曰 人入 大犬太 干千于 折拆 历厉 侯候 坏环 晴睛 拔拨 遣遗 贷货 帐账
签鉴 免兔 证正 社杜 护沪户 微徽
"""


def sound_table(groups: str = GROUPS) -> dict[int, str]:
    """Return the table for ``str.translate``: every character to the first of its group."""
    table: dict[int, str] = {}
    for group in groups.split():
        head = table.get(ord(group[0]), group[0])
        for character in group:
            table.setdefault(ord(character), head)
    return table


TABLE = sound_table()
LOOK_TABLE = sound_table(LOOKS)


def sound(text: str) -> str:
    """Return a text with each character replaced by the one that stands for its sound; the length stays."""
    return text.translate(TABLE)


def look(text: str) -> str:
    """Return a text with each character replaced by the one that stands for its looks; the length stays."""
    return text.translate(LOOK_TABLE)
