/* Simplified Chinese for Plotly: months, days and the few words of its hover texts. */
(() => {
  const months = ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"];
  const short = Array.from({ length: 12 }, (_, month) => `${month + 1}月`);
  const days = ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"];
  Plotly.register({
    moduleType: "locale",
    name: "zh-CN",
    dictionary: { "close:": "收:", "high:": "高:", "low:": "低:", "open:": "开:", "Click to enter": "" },
    format: {
      days, shortDays: days.map((day) => day.replace("星期", "周")), months, shortMonths: short,
      date: "%Y-%m-%d", decimal: ".", thousands: ",", year: "%Y年", month: "%Y年%-m月", dayMonth: "%-m月%-d日",
      dayMonthYear: "%Y年%-m月%-d日",
    },
  });
})();
