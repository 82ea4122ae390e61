#!/usr/bin/env python3
"""Writes the corpus of the tokenizer tests: lines in many scripts, the same ones every time.

usage: tools/tokenizer_corpus.py LINES > corpus.txt

Words are common ones of each language, put together at random; the rest is drawn from Unicode's
ranges. Nothing is quoted from anywhere, so the result is free to ship.
"""

import random
import sys

WORDS = {
    "english": "the of and a to in is was value chart shows highest lowest sales growth per cent "
               "between year total report table figure answer what which how many people country "
               "increase decline market share revenue Don't it's well-known can't energy water "
               "temperature question label axis legend blue orange number average population "
               "information international development understanding unbelievable recognisable",
    "german": "der die das und ist nicht größer über Straße Übersicht für Jahre Anteil Wert "
              "Bevölkerung Entwicklung Geschwindigkeitsbegrenzung weiß süß Äpfel Öl",
    "french": "le la les des est où été garçon déjà œuvre naïve l'année qu'elle façade très chère "
              "Noël augmentation pourcentage être français",
    "spanish": "el niño mañana español ¿cuál ¡hola está más corazón pingüino año según población",
    "polish": "źródło żółty ćma święto łódka gęś ktoś będzie wartość największa sprzedaż",
    "turkish": "İstanbul ılık şeker çocuk ğ yüksek düşük değer yıl güneş Iğdır",
    "vietnamese": "tiếng Việt nước người giá trị cao nhất thấp hơn bảng số liệu được không",
    "russian": "и в на что это год рост продажи наибольшее значение таблица ёж съёмка вопрос ответ",
    "ukrainian": "їжак ґанок є рік значення найбільше українська об'єкт",
    "greek": "και το είναι τιμή χρόνος μεγαλύτερη πωλήσεις Ελλάδα ψυχή ἀρχή ΐ ς",
    "arabic": "في من على القيمة الأعلى السنة مبيعات الجدول كِتَابٌ لا إلى ٪ ٢٠٢٤ مرحبا",
    "hebrew": "של את הערך הגבוה שנה מכירות שָׁלוֹם טבלה",
    "persian": "می‌خواهم کتاب‌ها سال فروش بیشترین گچپژ",
    "hindi": "में का है सबसे अधिक मूल्य वर्ष बिक्री हिन्दी क्षत्रिय ज़्यादा १२३",
    "bengali": "এবং সর্বোচ্চ মান বছর বিক্রয় বাংলা ১২৩",
    "tamil": "மற்றும் மதிப்பு ஆண்டு விற்பனை தமிழ் கொண்டு",
    "thai": "และค่าสูงสุดในปี ยอดขาย ภาษาไทย น้ำ กำลัง ที่สุด",
    "khmer": "ភាសាខ្មែរ តម្លៃ ឆ្នាំ",
    "tibetan": "བོད་སྐད་ ལོ་",
    "georgian": "და ღირებულება წელი ქართული ყველაზე",
    "armenian": "և արժեքը տարի հայերեն",
    "amharic": "እና ዋጋ ዓመት አማርኛ",
    "chinese": "的 最高 数值 年份 销售额 图表 增长 是多少 中文 繁體 標題 資料 人口 百分比，。、「」",
    "japanese": "これは 最大の値 売上高 グラフ です ですか？ ｶﾀｶﾅ ひらがな がぎぐ ガギグ ㍿ ㌔",
    "korean": "가장 높은 값은 무엇입니까 연도 매출 한국어 표 각 ㈜ 한글",
}
SYMBOLS = ("½ ⅓ Ⅷ ﬁ ﬂ ﬀ ™ © № ℃ Ω Å ① ⑩ ａｂｃ ＡＢＣ １２３ ％ ￥ … – — “quoted” ‘single’ « » ‹› → ⇒ ≤ ≥ ≠ ± × ÷ "
           "∑ ∫ √ ∞ 𝐀𝒷𝔠 𝟙𝟚 ² ³ ₁₂ µ ª º ¼ ﷺ ﷼ ㎡ ㏒ ︙ ｡ ﾞ").split()
EMOJI = "😀 😂 👍🏽 👩‍👩‍👧 🇩🇪 🇯🇵🇺🇸 ❤️ ☃ ☃️ 🏳️‍🌈 1️⃣ 🧑🏿‍🚀 🫠".split()
MARKUP = ("<td>{}</td> <tr><td>{}</td></tr> \\frac{{a}}{{{}}} $x_{{i}}={}$ [{}](url) {{\"key\":{}}} <0x41> "
          "https://example.org/?q={} &amp; <b>{}</b> <extra_id_0> </s> <pad> <unk> a</s>b [MASK] "
          "[MASK]{} keep KEEP keeper ##{} |{}| // /* {} */ <|LOC_{}|> <ctrl> ``` x<y>z").split(" ")
INVISIBLE = ["\u200b", "\u200c", "\u200d", "\ufeff", "\u00ad", "\u2060", "\u200e", "\u202e", "\x00",
             "\x07", "\x1b", "\x7f", "\x85", "\ufffd"]
BLANKS = [" ", "  ", "   ", "\t", "\u00a0", "\u3000", "\u2003", "\u2009", " \t ", "\r", "\u2028",
          "\u1680", "\u205f"]
MARKS = [chr(c) for c in [*range(0x300, 0x34F), 0x5B0, 0x5BC, 0x64B, 0x651, 0x93C, 0x94D, 0xE48,
                          0x20DD, 0x20E3, 0x3099, 0x309A, 0xFE0F, 0x1F3FD]]
RANGES = [(0x20, 0x7E), (0xA1, 0x24F), (0x250, 0x2AF), (0x370, 0x3FF), (0x400, 0x52F),
          (0x531, 0x58F), (0x591, 0x5F4), (0x600, 0x6FF), (0x900, 0x97F), (0x980, 0x9FF),
          (0xB80, 0xBFF), (0xE01, 0xE5B), (0xF00, 0xFBC), (0x10A0, 0x10FF), (0x1100, 0x11FF),
          (0x1200, 0x137C), (0x1780, 0x17F9), (0x1E00, 0x1FFE), (0x2000, 0x206F), (0x2070, 0x20BF),
          (0x2100, 0x218B), (0x2190, 0x2426), (0x2460, 0x2775), (0x3000, 0x30FF), (0x3131, 0x33FF),
          (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAD9), (0xFB00, 0xFEFC), (0xFF01, 0xFFEE),
          (0x10330, 0x1034A), (0x1D400, 0x1D7FF), (0x1F300, 0x1F64F), (0x20000, 0x2A6DF),
          (0xE000, 0xE0FF)]


class Lines:
    """Draws one line after the other."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.words = {language: words.split() for language, words in WORDS.items()}

    def number(self):
        value = self.random.choice([self.random.randrange(10), self.random.randrange(3000),
                                    self.random.randrange(10 ** 9)])
        return self.random.choice(["{}", "{:,}", "{}%", "${}", "-{}", "{}.5", "{}e-3", "({})",
                                   "1990-{}"]).format(value)

    def sentence(self, language):
        count = self.random.randint(2, 14)
        words = [self.random.choice(self.words[language]) for _ in range(count)]
        if self.random.random() < 0.3:
            words.insert(self.random.randrange(count), self.number())
        joint = "" if language in ("chinese", "japanese", "thai") and count % 3 else " "
        text = joint.join(words)
        if self.random.random() < 0.3:
            text = text[0].upper() + text[1:] + self.random.choice(".?!:;")
        return text

    def mixture(self):
        parts = []
        for _ in range(self.random.randint(2, 8)):
            kind = self.random.randrange(5)
            if kind == 0:
                parts.append(self.random.choice(SYMBOLS + EMOJI))
            elif kind == 1:
                parts.append(self.random.choice(MARKUP).format(self.number()))
            else:
                parts.append(self.random.choice(self.words[self.random.choice(list(self.words))]))
        return "".join(part + self.random.choice(["", " ", " ", self.random.choice(BLANKS)])
                       for part in parts)

    def marked(self):
        """Marks and invisible characters between the letters of a sentence."""
        text = self.sentence(self.random.choice(["english", "french", "russian", "hindi", "korean"]))
        extra = [c + self.random.choice(MARKS + INVISIBLE) * (self.random.random() < 0.3) for c in text]
        return "".join(extra)

    def noise(self):
        first, last = self.random.choice(RANGES)
        other = self.random.choice(RANGES)
        characters = [chr(self.random.randint(*(other if self.random.random() < 0.2
                                                else (first, last))))
                      for _ in range(self.random.randint(1, 30))]
        return "".join(characters)

    def line(self):
        kind = self.random.random()
        if kind < 0.25:
            text = self.sentence("english")
        elif kind < 0.65:
            text = self.sentence(self.random.choice(list(self.words)))
        elif kind < 0.85:
            text = self.mixture()
        elif kind < 0.92:
            text = self.marked()
        else:
            text = self.noise()
        blanks = self.random.choice(BLANKS) if self.random.random() < 0.1 else ""
        return (blanks + text + blanks[::-1]).replace("\n", " ")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lines = Lines(seed=20)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for _ in range(int(sys.argv[1])):
        print(lines.line())


if __name__ == "__main__":
    main()
