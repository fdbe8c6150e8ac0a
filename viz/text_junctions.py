"""The words of junctions on the page, in English and Chinese."""

from __future__ import annotations

JUNCTION_TEXT: dict[str, tuple[str, str]] = {
    "layer_junction_states": ("Signal states", "信号相位"),
    "layer_junction_delay": ("Delay at signals", "路口延误"),
    "layer_junction_priority": ("Priority", "优先通行"),
    "layer_junction_coverage": ("Message coverage", "消息覆盖"),
    "about_junction_states": ("The phase that each signal shows now, by colour", "各路口当前相位（颜色）"),
    "about_junction_delay": ("Approaches by delay per vehicle in this quarter of an hour", "本刻钟内各进口道车均延误"),
    "about_junction_priority": ("Buses and emergency vehicles that asked for priority just now", "刚刚请求优先的车辆"),
    "about_junction_coverage": (
        "Roadside units; brighter where a larger share of messages is heard",
        "路侧单元；越亮表示消息接收率越高",
    ),
    "legend_phases": ("Colour: the phase that is green", "颜色：当前绿灯相位"),
    "legend_delay": ("Delay per vehicle: 0, 30, 60 s and more", "车均延误：0、30、60秒及以上"),
    "phase": ("Phase", "相位"),
    "green_since": ("green since", "绿灯始于"),
    "grade": ("Grade", "等级"),
    "run_by": ("Run by", "控制方式"),
    "run_plan": ("its own plan", "本地方案"),
    "run_central": ("central control", "中心控制"),
    "run_lost": ("its own plan: link lost", "本地方案（通信中断）"),
    "phases_over_time": ("Phases, five minutes either way", "相位变化（前后五分钟）"),
    "delays_by_approach": ("Delay by approach", "各进口道延误"),
    "delay_per_vehicle": ("s/veh", "秒/车"),
    "vehicles_passed": ("veh", "辆"),
    "quarter_hour": ("quarter of an hour until", "刻钟截至"),
    "channel": ("Radio channel", "无线信道"),
    "stations_near": ("connected vehicles near", "辆网联车在附近"),
    "heard_share": ("of messages heard", "消息接收率"),
    "channel_busy": ("busy", "占用率"),
    "priority_asked": ("asked for priority", "请求优先"),
    "priority_granted": ("priority granted", "优先已批准"),
    "priority_none": ("nobody asked for priority in this hour", "本小时无优先请求"),
}
