#include "documents/invoice_page.h"

#include <cairo/cairo-ft.h>
#include <cairo/cairo-pdf.h>
#include <fmt/core.h>
#include <ft2build.h>

#include <array>
#include <map>
#include <memory>
#include FT_FREETYPE_H

namespace ampacity::documents {
namespace {

// Debian's packages fonts-liberation2, fonts-dejavu-core, fonts-droid-fallback. By index: see
// Press.
constexpr std::array<const char*, 5> font_files = {
    "/usr/share/fonts/truetype/liberation2/LiberationSans-Regular.ttf",
    "/usr/share/fonts/truetype/liberation2/LiberationSans-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
};
constexpr std::size_t always_needed = 2;
constexpr std::array<std::size_t, 3> plain_order = {0, 2, 4};
constexpr std::array<std::size_t, 3> bold_order = {1, 3, 4};

struct Font {
  FT_Face face = nullptr;
  cairo_font_face_t* cairo = nullptr;
};

struct Glyph {
  std::size_t font = 0;
  unsigned index = 0;
  double advance = 0;  // of one em
};

// Cairo keeps fonts in a cache of its own beyond any owner, so they live as long as the process.
struct Press {
  std::mutex mutex;
  FT_Library library = nullptr;
  std::array<Font, font_files.size()> fonts;
  std::map<std::pair<char32_t, bool>, Glyph> glyphs;  // at most most_glyphs
  std::string missing;
  static constexpr std::size_t most_glyphs = 100'000;

  Press() {
    if (FT_Init_FreeType(&library) != 0) {
      missing = "FreeType";
      return;
    }
    for (std::size_t i = 0; i < fonts.size(); ++i) {
      if (FT_New_Face(library, font_files[i], 0, &fonts[i].face) != 0) {
        fonts[i].face = nullptr;
        if (i < always_needed) missing = font_files[i];
        continue;
      }
      fonts[i].cairo = cairo_ft_font_face_create_for_ft_face(fonts[i].face, FT_LOAD_NO_HINTING);
    }
  }

  Glyph look_up(char32_t c, bool bold) {
    for (const std::size_t i : bold ? bold_order : plain_order) {
      if (!fonts[i].face) continue;
      const unsigned index = FT_Get_Char_Index(fonts[i].face, c);
      if (index == 0) continue;
      const FT_Face face = fonts[i].face;
      if (FT_Load_Glyph(face, index, FT_LOAD_NO_SCALE) != 0) continue;
      return {i, index, static_cast<double>(face->glyph->metrics.horiAdvance) / face->units_per_EM};
    }
    if (c != 0xfffd) return glyph(0xfffd, bold);
    return {bold ? 1U : 0U, 0, 0.6};
  }

  const Glyph& glyph(char32_t c, bool bold) {
    const auto at = glyphs.find({c, bold});
    if (at != glyphs.end()) return at->second;
    const Glyph found = look_up(c, bold);
    if (glyphs.size() >= most_glyphs) glyphs.clear();
    return glyphs.emplace(std::pair{c, bold}, found).first->second;
  }
};

Press& press() {
  static Press the_press;
  return the_press;
}

// The next character of clean UTF-8, and its bytes; of bytes that are none, U+FFFD and one byte.
char32_t next_char(std::string_view text, std::size_t& bytes) {
  const auto lead = static_cast<unsigned char>(text[0]);
  bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || bytes > text.size()) {
    bytes = 1;
    return 0xfffd;
  }
  if (bytes == 1) return lead;
  char32_t c = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) {
      bytes = 1;
      return 0xfffd;
    }
    c = (c << 6) | (next & 0x3fU);
  }
  return c;
}

double advance_of(std::string_view text, bool bold) {
  double sum = 0;
  for (std::size_t bytes = 0; !text.empty(); text.remove_prefix(bytes))
    sum += press().glyph(next_char(text, bytes), bold).advance;
  return sum;
}

struct CairoDestroy {
  void operator()(cairo_t* c) const { cairo_destroy(c); }
  void operator()(cairo_surface_t* s) const { cairo_surface_destroy(s); }
};

void use_ink(cairo_t* c, Ink ink) {
  cairo_set_source_rgb(c, ink.red / 255.0, ink.green / 255.0, ink.blue / 255.0);
}

// Words run by run of one font, each glyph with the bytes it stands for.
void paint_text(cairo_t* c, const TextMark& mark) {
  use_ink(c, mark.style.ink);
  std::string_view rest = mark.text;
  double x = mark.x;
  while (!rest.empty()) {
    std::vector<cairo_glyph_t> glyphs;
    std::vector<cairo_text_cluster_t> clusters;
    std::string run;
    std::size_t bytes = 0, font = 0;
    while (!rest.empty()) {
      const char32_t ch = next_char(rest, bytes);
      const Glyph& g = press().glyph(ch, mark.style.bold);
      if (glyphs.empty()) font = g.font;
      if (g.font != font) break;
      const bool malformed = ch == 0xfffd && bytes == 1;
      const std::string_view shown = malformed ? "\xef\xbf\xbd" : rest.substr(0, bytes);
      glyphs.push_back({g.index, x, mark.y});
      clusters.push_back({static_cast<int>(shown.size()), 1});
      run += shown;
      x += g.advance * mark.style.size;
      rest.remove_prefix(bytes);
    }
    if (press().fonts[font].cairo) cairo_set_font_face(c, press().fonts[font].cairo);
    cairo_set_font_size(c, mark.style.size);
    cairo_show_text_glyphs(c, run.data(), static_cast<int>(run.size()), glyphs.data(),
                           static_cast<int>(glyphs.size()), clusters.data(),
                           static_cast<int>(clusters.size()), cairo_text_cluster_flags_t{});
  }
}

void paint_page(cairo_t* c, const Page& page) {
  for (const BoxMark& box : page.boxes) {
    use_ink(c, box.ink);
    cairo_rectangle(c, box.x, box.y, box.width, box.height);
    cairo_fill(c);
  }
  for (const TextMark& mark : page.words)
    if (!mark.text.empty()) paint_text(c, mark);
  cairo_show_page(c);
}

cairo_status_t append_bytes(void* to, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

base::Result<Typesetter> Typesetter::open() {
  std::unique_lock lock(press().mutex);
  if (!press().missing.empty())
    return base::refuse(base::Code::unavailable,
                        "cannot make a PDF: " + press().missing + " is not installed");
  return Typesetter(std::move(lock));
}

double Typesetter::width(std::string_view text, const Style& style) const {
  return advance_of(text, style.bold) * style.size;
}

std::string Typesetter::fitted(std::string_view text, const Style& style, double width) const {
  if (this->width(text, style) <= width) return std::string(text);
  const double room = width / style.size - advance_of("…", style.bold);
  double used = 0;
  std::size_t end = 0, bytes = 0;
  while (end < text.size()) {
    used += press().glyph(next_char(text.substr(end), bytes), style.bold).advance;
    if (used > room) break;
    end += bytes;
  }
  while (end > 0 && text[end - 1] == ' ') --end;
  return std::string(text.substr(0, end)) + "…";
}

std::vector<std::string> Typesetter::wrapped(std::string_view text, const Style& style,
                                             double width, std::size_t most) const {
  std::vector<std::string> lines;
  const double room = width / style.size;
  while (!text.empty()) {
    if (lines.size() + 1 == most) {
      lines.push_back(fitted(text, style, width));
      break;
    }
    double used = 0;
    std::size_t end = 0, blank = 0, bytes = 0;
    while (end < text.size()) {
      used += press().glyph(next_char(text.substr(end), bytes), style.bold).advance;
      if (used > room && end > 0) break;
      if (text[end] == ' ' && end > 0) blank = end;
      end += bytes;
    }
    if (end < text.size() && blank > 0) end = blank;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return lines;
}

base::Result<std::string> Typesetter::pdf(const Pages& pages) const {
  std::string out;
  const std::unique_ptr<cairo_surface_t, CairoDestroy> surface(
      cairo_pdf_surface_create_for_stream(append_bytes, &out, page_width, page_height));
  const std::string made_at = base::format_instant({pages.made_at.us / 1'000'000 * 1'000'000});
  const auto say = [&](cairo_pdf_metadata_t what, const std::string& text) {
    cairo_pdf_surface_set_metadata(surface.get(), what, text.c_str());
  };
  say(CAIRO_PDF_METADATA_TITLE, pages.title);
  say(CAIRO_PDF_METADATA_AUTHOR, pages.author);
  say(CAIRO_PDF_METADATA_SUBJECT, pages.subject);
  say(CAIRO_PDF_METADATA_CREATOR, "Ampacity");
  say(CAIRO_PDF_METADATA_CREATE_DATE, made_at);
  say(CAIRO_PDF_METADATA_MOD_DATE, made_at);
  {
    const std::unique_ptr<cairo_t, CairoDestroy> c(cairo_create(surface.get()));
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(c.get(), options);
    cairo_font_options_destroy(options);
    for (const Page& page : pages.pages) paint_page(c.get(), page);
    const cairo_status_t status = cairo_status(c.get());
    if (status != CAIRO_STATUS_SUCCESS)
      return base::refuse(base::Code::unavailable,
                          fmt::format("cannot make a PDF: {}", cairo_status_to_string(status)));
  }
  cairo_surface_finish(surface.get());
  const cairo_status_t status = cairo_surface_status(surface.get());
  if (status != CAIRO_STATUS_SUCCESS)
    return base::refuse(base::Code::unavailable,
                        fmt::format("cannot make a PDF: {}", cairo_status_to_string(status)));
  return out;
}

}  // namespace ampacity::documents
