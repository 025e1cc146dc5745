#include "api/job_file.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"

using namespace ampacity;
using api::parse_job_file;

namespace {

struct Good {
  const char* what;
  const char* yaml;
  const char* json;  // the JobRequest it must become
};

const std::vector<Good> good = {
    {"the least", "image: a", R"({"image":"a","command":[],"env":{},"volumes":[]})"},
    {"JSON is YAML", R"({"image": "a", "retries": 3})",
     R"({"image":"a","command":[],"env":{},"volumes":[],"retries":3})"},
    {"numbers are text where text is wanted, as written",
     "image: a\nname: 7\ncommand: [sleep, 010, 1e3, true, 0.50]\nresources: {cpus: 0.5, memory: "
     "4GiB}",
     R"({"name":"7","image":"a","command":["sleep","010","1e3","true","0.50"],)"
     R"("resources":{"cpus":"0.5","memory":"4GiB"},"env":{},"volumes":[]})"},
    {"environment", "image: a\nenv: {A: 007, B: true, C: '', D: 1e3, E: \"~\"}",
     R"({"image":"a","command":[],"env":{"A":"007","B":"true","C":"","D":"1e3","E":"~"},)"
     R"("volumes":[]})"},
    {"class", "image: a\nclass: on-demand",
     R"({"image":"a","command":[],"env":{},"volumes":[],"job_class":"on_demand"})"},
    {"job_class", "image: a\njob_class: spot\nread_only_root: true\nproject: p",
     R"({"image":"a","command":[],"env":{},"volumes":[],"job_class":"spot",)"
     R"("read_only_root":true,"project":"p"})"},
    {"null is absent", "image: a\nname: ~\ntime:\n",
     R"({"image":"a","command":[],"env":{},"volumes":[]})"},
    {"SkyPilot",
     "name: sft\nimage: a\nnum_nodes: 2\nresources:\n  accelerators: H100:8\n  use_spot: true\n"
     "envs: {M: llama}\nrun: |\n  echo a\n  torchrun b\n",
     R"({"name":"sft","image":"a","command":["sh","-c","echo a\ntorchrun b\n"],)"
     R"("resources":{"gpus":"h100:8x2"},"env":{"M":"llama"},"volumes":[],"job_class":"spot"})"},
    {"SkyPilot, any of two", "image: a\nresources: {accelerators: {A100-80GB:8, H100:8}}",
     R"({"image":"a","command":[],"resources":{"gpus":"a100-80|h100:8"},"env":{},"volumes":[]})"},
    {"SkyPilot, a list", "image: a\nresources: {accelerators: [L4:1, A40]}",
     R"({"image":"a","command":[],"resources":{"gpus":"l4|a40:1"},"env":{},"volumes":[]})"},
    {"a gang from a bare GPU", "image: a\nnum_nodes: 4\nresources: {accelerators: H100}",
     R"({"image":"a","command":[],"resources":{"gpus":"h100:1x4"},"env":{},"volumes":[]})"},
    {"nodes said twice alike", "image: a\nnodes: 2\nresources: {gpus: 'h100:8x2'}",
     R"({"image":"a","command":[],"resources":{"gpus":"h100:8x2"},"env":{},"volumes":[]})"},
    {"one node is nothing to say", "image: a\nnum_nodes: 1",
     R"({"image":"a","command":[],"env":{},"volumes":[]})"},
    {"dstack",
     "type: task\nname: t\nimage: a\nnodes: 2\ncommands: [pip install x, python t.py]\n"
     "env: [A=1, B=c=d]\nresources: {gpu: H100:8}\nmax_duration: 12h",
     R"({"name":"t","image":"a","command":["sh","-c","pip install x && python t.py"],)"
     R"("resources":{"gpus":"h100:8x2"},"env":{"A":"1","B":"c=d"},"volumes":[],"time":"12h"})"},
    {"where and when",
     "image: a\nresources: {gpus: h100, gpu_share: 0.25}\nmax_price: 3.50\nstart_by: +2h\n"
     "placement: {sites: [lab, west], together: rack, apart: db}\nexpected: 3h\n"
     "reservation: night",
     R"({"image":"a","command":[],"resources":{"gpus":"h100","gpu_share":"0.25"},"env":{},)"
     R"("volumes":[],"placement":{"sites":["lab","west"],"together":"rack","apart":"db"},)"
     R"("max_price":"3.50","start_by":"+2h","expected":"3h","reservation":"night"})"},
    {"a slice", "image: a\nresources: {gpus: h100, mig: 2/8}",
     R"({"image":"a","command":[],"resources":{"gpus":"h100","mig":"2/8"},"env":{},"volumes":[]})"},
    {"an anchor", "image: &i a\nname: *i\nenv: {A: *i}",
     R"({"name":"a","image":"a","command":[],"env":{"A":"a"},"volumes":[]})"},
    {"comments and a byte of UTF-8", "# hello\nimage: a # b\nenv: {A: žluť}",
     R"({"image":"a","command":[],"env":{"A":"žluť"},"volumes":[]})"},
};

struct Bad {
  const char* what;
  std::string yaml;
  std::vector<std::string> says;  // each must be in the refusal's message or a wrong field
};

std::string nest(int depth) {
  return "image: a\nenv: " + std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

std::string laughs() {
  std::string s = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string n = std::to_string(i), p = "*a" + std::to_string(i - 1);
    s += "a" + n + ": &a" + n + " [" + p;
    for (int k = 0; k < 9; ++k) s += "," + p;
    s += "]\n";
  }
  return s;
}

std::string deep_by_alias() {  // each alias adds eight levels
  std::string s = "a0: &a0 [[[[[[[[x]]]]]]]]\n";
  for (int i = 1; i < 5; ++i)
    s += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[[[[[*a" +
         std::to_string(i - 1) + "]]]]]]]]\n";
  return s;
}

const std::vector<Bad> bad = {
    {"empty", "", {"empty"}},
    {"only a comment", "# x\n", {"empty"}},
    {"a list", "- a\n- b\n", {"line 1"}},
    {"a text", "hello", {"line 1"}},
    {"no image", "name: a", {"image: is required"}},
    {"not YAML, with its place", "image: a\nenv: {A: 1\nname: b\n", {"line ", "column "}},
    {"a tab", "image: a\nenv:\n\tA: b\n", {"line 3, column "}},
    {"an unknown field", "image: a\n\nimagee: b\n", {"imagee", "(line 3)", "the fields are name"}},
    {"an unknown inner field",
     "image: a\nresources:\n  cpus: 1\n  gpux: 8\n",
     {"resources.gpux", "(line 4)"}},
    {"every wrong field",
     "name: [a]\nretries: many\nvolumes: a:/b\n",
     {"image: is required", "name: must be a string", "(line 1)", "retries: must be a whole number",
      "(line 2)", "volumes: must be a list", "(line 3)"}},
    {"an element", "image: a\nvolumes:\n  - a:/b\n  - {c: d}\n", {"volumes[1]", "(line 4)"}},
    {"a null in the environment", "image: a\nenvs:\n  A: b\n  T:\n", {"envs.T", "(line 4)"}},
    {"a wrong class",
     "image: a\nclass: cheap\n",
     {"class: must be one of reserved, on_demand, spot, house", "(line 2)"}},
    {"both spellings", "image: a\nclass: spot\njob_class: spot\n", {"class: says the same as"}},
    {"two commands", "image: a\nrun: x\ncommands: [y]\n", {"commands: says the same as `run`"}},
    {"a command as text",
     "image: a\ncommand: python x.py\n",
     {"command: must be a list", "`run:`"}},
    {"spot and not",
     "image: a\nclass: on_demand\nresources: {use_spot: true}\n",
     {"resources.use_spot"}},
    {"nodes without GPUs", "image: a\nnum_nodes: 2\n", {"num_nodes", "resources.gpus", "(line 2)"}},
    {"nodes of nothing", "image: a\nnum_nodes: 0\n", {"num_nodes: must be", "(line 2)"}},
    {"nodes said twice",
     "image: a\nnodes: 2\nresources: {gpus: h100:8x4}\n",
     {"nodes: is not what"}},
    {"accelerators of two sizes",
     "image: a\nresources: {accelerators: {H100: 8, L4: 1}}\n",
     {"resources.accelerators", "(line 2)"}},
    {"a service", "type: service\nimage: a\n", {"type: only `task`", "(line 1)"}},
    {"a wish nobody knows",
     "image: a\nplacement:\n  sites: lab\n  together: town\n",
     {"placement.sites: must be a list", "(line 3)",
      "placement.together: must be one of any, nvlink, rack, leaf", "(line 4)"}},
    {"setup", "image: a\nsetup: pip\n", {"setup", "`run`", "(line 2)"}},
    {"a field twice", "image: a\nimage: b\n", {"line 2, column 1", "twice"}},
    {"two documents", "image: a\n---\nimage: b\n", {"one document", "line "}},
    {"merge keys", "x: &x {image: a}\n<<: *x\n", {"line 2", "<<"}},
    {"a list as a name", "[a, b]: c\n", {"line 1", "plain text"}},
    {"an unknown alias", "image: *nope\n", {"line 1", "not YAML"}},
    {"an alias to itself", "image: a\nenv: &e {A: *e}\n", {"line 2"}},
    {"too deep", nest(40), {"line 2", "nested more than 32 deep"}},
    {"far too deep", nest(100'000), {"line 2", "nested more than 32 deep"}},
    {"deep by alias", deep_by_alias(), {"nested more than 32 deep"}},
    {"a billion laughs", laughs(), {"with its aliases"}},
    {"too long", "image: a\n#" + std::string(1 << 20, 'x'), {"1048576"}},
    {"bad UTF-8", "image: a\nname: \xC3\x28\n", {"line 2, column 7", "UTF-8"}},
    {"a surrogate", "image: \xED\xA0\x80\n", {"line 1, column 8", "UTF-8"}},
    {"a cut UTF-8", "image: \xE2\x82", {"line 1, column 8", "UTF-8"}},
    {"a NUL", std::string("image: a\0b", 10), {"line 1, column 9", "NUL"}},
};

std::string all_of(const base::Refusal& r) {
  std::string s = r.message;
  for (const auto& w : r.wrong) s += "\n" + w.field + ": " + w.message;
  return s;
}

}  // namespace

TEST_CASE("job files that are right") {
  for (const auto& g : good) {
    CAPTURE(g.what);
    const auto request = parse_job_file(g.yaml);
    if (!request)
      FAIL_CHECK(all_of(request.error()));
    else
      CHECK(base::to_json(*request) == g.json);
  }
}

TEST_CASE("job files that are wrong say what and where") {
  for (const auto& b : bad) {
    CAPTURE(b.what);
    const auto request = parse_job_file(b.yaml);
    REQUIRE_FALSE(request.has_value());
    const std::string said = all_of(request.error());
    CAPTURE(said);
    for (const auto& part : b.says) CHECK_MESSAGE(said.find(part) != std::string::npos, part);
  }
}

TEST_CASE("a file cut anywhere is read or refused, never more") {
  const std::string whole =
      "name: sft\nimage: &i a\nnum_nodes: 2\nresources:\n  accelerators: {H100: 8}\n"
      "envs: {M: *i, \"q\\u00e9\": 'x'}\nvolumes: [\"d:/data\", e:/f]\nrun: |\n  echo a\n";
  REQUIRE(parse_job_file(whole).has_value());
  int read = 0, refused = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    for (const char* tail : {"", "\xFF", "{", "]", "&a", "*b", ": :", "\t"})
      (parse_job_file(whole.substr(0, n) + tail) ? read : refused) += 1;
  }
  CHECK(read > 0);
  CHECK(refused > 0);
}

TEST_CASE("the examples are job files") {
  for (const char* name : {"train/job.yaml", "gang/gang.yaml"}) {
    std::ifstream in(std::string(AMPACITY_SOURCE_DIR) + "/examples/" + name);
    std::ostringstream text;
    text << in.rdbuf();
    const auto request = parse_job_file(text.str());
    if (!request) FAIL_CHECK(name << ": " << all_of(request.error()));
  }
}
