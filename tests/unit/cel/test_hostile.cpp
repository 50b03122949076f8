// Hostile text: whatever is written, compiling and evaluating it end soon, in a value or in an
// error, and build nothing large.
#include <algorithm>
#include <ctime>

#include "tests/unit/cel/support.h"

namespace checkride::cel {
namespace {

constexpr std::size_t source_bytes = 64 * 1024;

// As often as `times` parts fit into one expression.
std::string repeated(const std::string& part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times && text.size() + part.size() < source_bytes - 100; ++i)
    text += part;
  return text;
}

// Seconds of processor time; generous, because a bound that fails takes minutes, not seconds.
constexpr double seconds_max = 20;

std::string outcome(const std::string& source, const Environment& environment = {}) {
  const std::clock_t start = std::clock();
  std::string text = "refused";
  if (const auto program = Program::compile(source, environment)) {
    const EvalResult result = program->evaluate(VariableActivation());
    text = result ? "value" : "error: " + result.error().message;
    if (result) CHECK(size_bytes(*result) <= 17U << 20);
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  INFO(source.substr(0, 60) << " took " << seconds << " s");
  CHECK(seconds < seconds_max);
  return text;
}

bool ends_in_error(const std::string& source) {
  const std::string text = outcome(source);
  INFO(source.substr(0, 80) << " ... "
                            << source.substr(source.size() -
                                             std::min<std::size_t>(source.size(), 40))
                            << " gave " << text);
  CHECK((text == "refused" || text.starts_with("error: ")));
  return true;
}

std::string bound(int levels, const std::string& first, const std::string& next) {
  std::string source = first;
  for (int i = 0; i < levels; ++i) source = "cel.bind(x, " + source + ", " + next + ")";
  return source;
}

}  // namespace

TEST_CASE("deep nesting is refused, whatever nests", "[cel]") {
  const auto [open, core, close] = GENERATE(table<std::string, std::string, std::string>({
      {"(", "1", ")"},
      {"[", "1", "]"},
      {"{1: ", "1", "}"},
      {"size(", "'a'", ")"},
      {"-(", "1", ")"},
      {"!(", "true", ")"},
      {"-", "x", ""},
      {"!", "true", ""},
      {"true ? ", "1", " : 2"},
      {"true ? 1 : ", "2", ""},
      {"[1].map(x, ", "1", ")"},
      {"cel.bind(x, ", "1", ", x)"},
      {"optional.of(", "1", ")"},
      {"1 + (", "1", ")"},
      {"", "{}", ".a"},
      {"", "{}", "['a']"},
      {"", "[]", ".map(x, x)"},
      {"", "'a'", ".trim()"},
      {"", "{}", "[?'a']"},
      {"", "1", " + 1"},
      {"1 * (", "1", " + 1)"},
  }));
  const std::size_t times = (source_bytes - 100) / (open.size() + close.size());
  const std::string source = repeated(open, times) + core + repeated(close, times);
  INFO(source.substr(0, 40));
  CHECK(outcome(source) == "refused");
}

TEST_CASE("nesting just inside the bound is no danger either", "[cel]") {
  std::string list = "1";
  for (int i = 0; i < 240; ++i) list = "[" + list + "]";
  CHECK(outcome(list) == "value");
  CHECK(outcome("'%s'.format([" + list.substr(1, list.size() - 2) + "])") == "value");
  CHECK(outcome(list + " == " + list) == "value");
}

TEST_CASE("huge literals are refused or harmless", "[cel]") {
  const std::string nines = repeated("9", source_bytes);
  CHECK(outcome(nines) == "refused");
  CHECK(outcome("0x" + nines) == "refused");
  CHECK(outcome(nines + "u") == "refused");
  CHECK(outcome("1e" + nines + " > 1.0") == outcome("1e999 > 1.0"));
  CHECK(outcome("0." + nines + " < 1.0") != "refused");
  CHECK(outcome("'" + nines + "'") == "value");
  CHECK(outcome("'" + repeated("\\U0001F600", source_bytes) + "'.size()") == "value");
  CHECK(outcome("'\\U" + nines + "'") == "refused");
  CHECK(outcome("b'" + repeated("\\377", source_bytes) + "'") == "value");
  CHECK(outcome(repeated("a", source_bytes)) == "refused");
  CHECK(outcome("[" + repeated("1,", source_bytes) + "1]") == "value");
  CHECK(outcome("int('" + nines + "')").starts_with("error: "));
  CHECK(outcome("duration('" + nines + "h')").starts_with("error: "));
  CHECK(outcome("timestamp('" + nines + "')").starts_with("error: "));
  CHECK(outcome(std::string(source_bytes + 1, ' ') + "1") == "refused");
}

TEST_CASE("text that makes the checker think long still ends", "[cel]") {
  Environment environment;
  environment.variable("r", type("{a?: int, b: list<string>}"));
  CHECK(outcome("[" + repeated("size([]),", source_bytes) + "1]") == "value");
  CHECK(outcome("[" + repeated("[].first(),", source_bytes) + "[].first()]") == "value");
  CHECK(outcome("[" + repeated("optional.none(),", source_bytes) + "optional.of(1)]") == "value");
  CHECK(outcome(repeated("has(r.a)&&", source_bytes) + "r.a>0", environment) != "refused");
  CHECK(outcome(repeated("has(r.a)||", source_bytes) + "r.a>0", environment) == "refused");
  CHECK(outcome("[" + repeated("nope,", source_bytes) + "1]", environment) == "refused");
  CHECK(outcome("[" + repeated("r.nope,", source_bytes) + "1]", environment) == "refused");
  CHECK(outcome("[" + repeated("'x'==1,", source_bytes) + "1]", environment) == "refused");
  const auto all = Program::compile("[" + repeated("nope,", source_bytes) + "1]", environment);
  REQUIRE_FALSE(all);
  CHECK(all.error().size() == 50);
}

TEST_CASE("macros inside macros run out of steps, not of time or memory", "[cel]") {
  std::string ten = "[0,1,2,3,4,5,6,7,8,9]";
  std::string all = "true";
  std::string map = "0";
  for (int i = 0; i < 40; ++i) {
    const std::string name = "x" + std::to_string(i);
    all = ten + ".all(" + name + ", " + all + ")";
    map = ten + ".map(" + name + ", " + map + ")";
  }
  CHECK(ends_in_error(all));
  CHECK(ends_in_error(map));
  CHECK(ends_in_error(all + " || true"));
  std::string nested = "[1]";
  for (int i = 0; i < 30; ++i) nested += ".map(x, [x, x])";
  CHECK(outcome(nested) != "refused");
  std::string pairs = "{'a': 1}";
  for (int i = 0; i < 20; ++i)
    pairs = "cel.bind(m, " + pairs +
            ", m.transformMapEntry(k, v, {k + '0': v, k + '1': v, k + '2': v}))";
  CHECK(ends_in_error(pairs));
}

TEST_CASE("doubling ends at a bound, whatever is doubled", "[cel]") {
  CHECK(ends_in_error(bound(60, "'0123456789'", "x + x")));
  CHECK(ends_in_error(bound(60, "b'0123456789'", "x + x")));
  CHECK(ends_in_error(bound(60, "[1, 2]", "x + x")));
  CHECK(ends_in_error(bound(60, "[1]", "[x, x]")));
  CHECK(ends_in_error(bound(60, "{1: 1}", "{1: x, 2: x}")));
  CHECK(ends_in_error(bound(60, "'ab'", "x.replace('', x)")));
  CHECK(ends_in_error(bound(60, "'aa'", "x.replace('a', x)")));
  CHECK(ends_in_error(bound(60, "'ab'", "[x, x].join(x)")));
  CHECK(ends_in_error(bound(60, "'ab'", "x.split('').join(x)")));
  CHECK(ends_in_error(bound(60, "'a'", "'%s%s'.format([x, x])")));
  CHECK(ends_in_error(bound(60, "'\"'", "strings.quote(x)")));
  CHECK(ends_in_error(bound(60, "b'abc'", "bytes(base64.encode(x) + base64.encode(x))")));
  CHECK(ends_in_error(bound(60, "[1, 2]", "x.map(y, x)")));
  CHECK(ends_in_error(bound(60, "optional.of([1])", "optional.of([x, x])")));
}

TEST_CASE("looking for a long text in a long text is paid for", "[cel]") {
  const std::string a = bound(20, "'aaaa'", "x + x");  // 4 MiB
  for (const char* call :
       {"t.contains(t + 'b' + t)", "(t + t).contains(t + 'b')", "(t + t).indexOf(t + 'b') == 0",
        "(t + t).lastIndexOf('b' + t) == 0", "(t + t).replace(t + 'b', '') == ''",
        "(t + t).split(t + 'b').size() == 1"}) {
    INFO(call);
    CHECK(ends_in_error("cel.bind(t, " + a + ", " + call + ")"));
  }
}

TEST_CASE("regular expressions are bounded in size, count and time", "[cel]") {
  CHECK(outcome("'a'.matches('((a{1000}){1000}){1000}')") == "refused");
  CHECK(outcome("'a'.matches('" + repeated("(a|b)", 900) + "')") == "refused");
  CHECK(outcome("'a'.matches('" + repeated("(", 2000) + repeated(")", 2000) + "')") == "value");
  CHECK(outcome("'a'.matches('(a)\\\\1')") == "refused");  // no back references in RE2
  CHECK(outcome("'a'.matches('a(?=b)')") == "refused");    // no look-ahead either
  CHECK(outcome("'" + repeated("a", 30'000) + "'.matches('(a*)*(a*)*(a*)*b')") == "value");
  // A short pattern that is dear to compile, many times over.
  std::string ten = "[0,1,2,3,4,5,6,7,8,9]";
  std::string source = "'a'.matches('x{' + string(a + b + c + d + e + 500) + '}')";
  for (const char* name : {"e", "d", "c", "b", "a"})
    source = ten + ".exists(" + std::string(name) + ", " + source + ")";
  CHECK(ends_in_error(source));
}

TEST_CASE("printing is bounded", "[cel]") {
  CHECK(ends_in_error("'" + repeated("%.1000f", source_bytes) + "'.format([" + "1.0])"));
  std::string arguments;
  for (int i = 0; i < 5'000; ++i) arguments += "1e300,";
  CHECK(outcome("'" + repeated("%.1000f", 5'000) + "'.format([" + arguments + "])") != "crash");
  CHECK(ends_in_error("'%.1001f'.format([1.0])"));
  CHECK(ends_in_error("'%.99999999999999999999f'.format([1.0])"));
}

}  // namespace checkride::cel
