PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE migrations (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL);
INSERT INTO migrations VALUES(1,'0001_first','c1270cb79e8ccf967566be1f37506bb342b7c44ca59049c5ce9f7423e50aca22');
INSERT INTO migrations VALUES(2,'0002_facts_view_sqlite','40c3502fbb81767a2157f20c7a06e0c0e040d2ec2e6097a4c14d338418be9574');
INSERT INTO migrations VALUES(3,'0003_guards_sqlite','6e170b39445d37ef6aa87d7e00bec46739f9bdbb7149d6d9653882fa3da3775e');
INSERT INTO migrations VALUES(4,'0004_gpu_milli','88c5f0bec4c370370b3106de0849226b37210c4a254d9b4f2a90281f97dce6bd');
INSERT INTO migrations VALUES(5,'0005_meter_events','6bbe861d3064e8903c6a2110f02825cf51401f8ff65b6504f0cc92f262ff5d9c');
INSERT INTO migrations VALUES(6,'0006_meter_guards_sqlite','7ec6c3d407959fb038a5f08fa26b608609cfa8ef02c3375ac27a79189867af65');
INSERT INTO migrations VALUES(7,'0007_billing','b2c9e8e679acf616cef92d39aa03a40dfe91111a4cafc2e0e40382d2c8284211');
INSERT INTO migrations VALUES(8,'0008_billing_guards_sqlite','d1b499e34b25004e5f04dad9c67452f1e1e9d14d8fdec651e01295e4d9df76bf');
INSERT INTO migrations VALUES(9,'0009_ledger_sqlite','6b046b7fc434d9668cced762d7d874634c65b7e7cfbee5aa5a191201d715a4b5');
INSERT INTO migrations VALUES(10,'0010_transfer_guards_sqlite','d3d7435e9296bcf1ac5e96bbfe8a46c976ccfa1d4b5f4a6a6f12e6d4d1d9ad2f');
INSERT INTO migrations VALUES(11,'0011_ledger_guards_sqlite','cf349d5cecd8e9582d9f9b94b61eefd6ed8d8eb8c1c62932f88cf12eb93b353b');
INSERT INTO migrations VALUES(12,'0012_webhook_deliveries','0e29ea3b2f60576f4efffd28f32c18119ce9665cca8ab2072d332430060a8adf');
INSERT INTO migrations VALUES(13,'0013_usage_steps','a72e02420e2592a4b11c6bb99157dd03b7dc22c348a57343e9f3a1a331973040');
INSERT INTO migrations VALUES(14,'0014_usage_guards_sqlite','75de5a6815255d1a4ceca8f03e1e8ebe4fb0053736693017afb611644fede7fa');
CREATE TABLE journal (
  first_sequence INTEGER NOT NULL PRIMARY KEY,
  last_sequence BIGINT NOT NULL,
  at BIGINT NOT NULL,
  facts TEXT NOT NULL,
  chain BLOB NOT NULL,
  CHECK (last_sequence >= first_sequence)
);
INSERT INTO journal VALUES(1,4,1795896382162119,'[{"kind":"account_opened","v":1,"at":"2026-11-28T20:06:22.162119Z","actor":"ampacityd","body":{"account":{"ledger":8401,"code":1000,"name":"cash"}}},{"kind":"account_opened","v":1,"at":"2026-11-28T20:06:22.162119Z","actor":"ampacityd","body":{"account":{"ledger":8401,"code":9000,"name":"crossing"}}},{"kind":"account_opened","v":1,"at":"2026-11-28T20:06:22.162119Z","actor":"ampacityd","body":{"account":{"ledger":8400,"code":9000,"name":"crossing"}}},{"kind":"prices_set","v":1,"at":"2026-11-28T20:06:22.162119Z","actor":"ampacityd","body":{"book":{"version":1,"name":"July 2023, a la carte","effective_from":"2026-11-28T20:06:22.162119Z","rules":[{"meter":"cpu_memory","price":{"per":1024,"tiers":[{"price":50}]}},{"meter":"cpu_memory","term_months":1,"price":{"per":1024,"tiers":[{"price":45}]}},{"meter":"cpu_memory","term_months":3,"price":{"per":1024,"tiers":[{"price":41}]}},{"meter":"cpu_memory","term_months":6,"price":{"per":1024,"tiers":[{"price":38}]}},{"meter":"cpu_memory","term_months":12,"price":{"per":1024,"tiers":[{"price":33}]}},{"meter":"cpu_memory","term_months":36,"price":{"per":1024,"tiers":[{"price":23}]}},{"meter":"cpu_vcpu","price":{"tiers":[{"price":100}]}},{"meter":"cpu_vcpu","term_months":1,"price":{"tiers":[{"price":90}]}},{"meter":"cpu_vcpu","term_months":3,"price":{"tiers":[{"price":82}]}},{"meter":"cpu_vcpu","term_months":6,"price":{"tiers":[{"price":75}]}},{"meter":"cpu_vcpu","term_months":12,"price":{"tiers":[{"price":65}]}},{"meter":"cpu_vcpu","term_months":36,"price":{"tiers":[{"price":45}]}},{"meter":"gpu","sku":"gb200","price":{"tiers":[{"price":105000}]}},{"meter":"gpu","sku":"gb200","job_class":"spot","price":{"tiers":[{"price":52500}]}},{"meter":"gpu","sku":"b200","price":{"tiers":[{"price":86000}]}},{"meter":"gpu","sku":"b200","job_class":"spot","price":{"tiers":[{"price":43000}]}},{"meter":"gpu","sku":"h200","price":{"tiers":[{"price":63050}]}},{"meter":"gpu","sku":"h200","job_class":"spot","price":{"tiers":[{"price":31525}]}},{"meter":"gpu","sku":"h100","price":{"tiers":[{"price":47800}]}},{"meter":"gpu","sku":"h100","job_class":"spot","price":{"tiers":[{"price":23900}]}},{"meter":"gpu","sku":"h100-pcie","price":{"tiers":[{"price":42500}]}},{"meter":"gpu","sku":"h100-pcie","job_class":"spot","price":{"tiers":[{"price":21250}]}},{"meter":"gpu","sku":"l40s","price":{"tiers":[{"price":22500}]}},{"meter":"gpu","sku":"l40s","job_class":"spot","price":{"tiers":[{"price":11250}]}},{"meter":"gpu","sku":"l40","price":{"tiers":[{"price":12500}]}},{"meter":"gpu","sku":"l40","job_class":"spot","price":{"tiers":[{"price":6250}]}},{"meter":"gpu","sku":"a100-80","price":{"tiers":[{"price":22100}]}},{"meter":"gpu","sku":"a100-80","job_class":"spot","price":{"tiers":[{"price":11050}]}},{"meter":"gpu","sku":"a100-40","price":{"tiers":[{"price":20600}]}},{"meter":"gpu","sku":"a100-40","job_class":"spot","price":{"tiers":[{"price":10300}]}},{"meter":"gpu","sku":"a100-80-pcie","price":{"tiers":[{"price":22100}]}},{"meter":"gpu","sku":"a100-80-pcie","job_class":"spot","price":{"tiers":[{"price":11050}]}},{"meter":"gpu","sku":"a100-40-pcie","price":{"tiers":[{"price":20600}]}},{"meter":"gpu","sku":"a100-40-pcie","job_class":"spot","price":{"tiers":[{"price":10300}]}},{"meter":"gpu","sku":"a40","price":{"tiers":[{"price":12800}]}},{"meter":"gpu","sku":"a40","job_class":"spot","price":{"tiers":[{"price":6400}]}},{"meter":"gpu","sku":"a6000","price":{"tiers":[{"price":12800}]}},{"meter":"gpu","sku":"a6000","job_class":"spot","price":{"tiers":[{"price":6400}]}},{"meter":"gpu","sku":"v100-16","price":{"tiers":[{"price":8000}]}},{"meter":"gpu","sku":"v100-16","job_class":"spot","price":{"tiers":[{"price":4000}]}},{"meter":"gpu","sku":"a5000","price":{"tiers":[{"price":7700}]}},{"meter":"gpu","sku":"a5000","job_class":"spot","price":{"tiers":[{"price":3850}]}},{"meter":"gpu","sku":"a4000","price":{"tiers":[{"price":6100}]}},{"meter":"gpu","sku":"a4000","job_class":"spot","price":{"tiers":[{"price":3050}]}},{"meter":"gpu","sku":"rtx5000","price":{"tiers":[{"price":5700}]}},{"meter":"gpu","sku":"rtx5000","job_class":"spot","price":{"tiers":[{"price":2850}]}},{"meter":"gpu","sku":"rtx4000","price":{"tiers":[{"price":2400}]}},{"meter":"gpu","sku":"rtx4000","job_class":"spot","price":{"tiers":[{"price":1200}]}},{"meter":"gpu","sku":"gb200","term_months":1,"price":{"tiers":[{"price":94500}]}},{"meter":"gpu","sku":"gb200","term_months":3,"price":{"tiers":[{"price":86100}]}},{"meter":"gpu","sku":"gb200","term_months":6,"price":{"tiers":[{"price":78750}]}},{"meter":"gpu","sku":"gb200","term_months":12,"price":{"tiers":[{"price":68250}]}},{"meter":"gpu","sku":"gb200","term_months":36,"price":{"tiers":[{"price":47250}]}},{"meter":"gpu","sku":"b200","term_months":1,"price":{"tiers":[{"price":77400}]}},{"meter":"gpu","sku":"b200","term_months":3,"price":{"tiers":[{"price":70520}]}},{"meter":"gpu","sku":"b200","term_months":6,"price":{"tiers":[{"price":64500}]}},{"meter":"gpu","sku":"b200","term_months":12,"price":{"tiers":[{"price":55900}]}},{"meter":"gpu","sku":"b200","term_months":36,"price":{"tiers":[{"price":38700}]}},{"meter":"gpu","sku":"h200","term_months":1,"price":{"tiers":[{"price":56745}]}},{"meter":"gpu","sku":"h200","term_months":3,"price":{"tiers":[{"price":51701}]}},{"meter":"gpu","sku":"h200","term_months":6,"price":{"tiers":[{"price":47288}]}},{"meter":"gpu","sku":"h200","term_months":12,"price":{"tiers":[{"price":40983}]}},{"meter":"gpu","sku":"h200","term_months":36,"price":{"tiers":[{"price":28373}]}},{"meter":"gpu","sku":"h100","term_months":1,"price":{"tiers":[{"price":43020}]}},{"meter":"gpu","sku":"h100","term_months":3,"price":{"tiers":[{"price":39196}]}},{"meter":"gpu","sku":"h100","term_months":6,"price":{"tiers":[{"price":35850}]}},{"meter":"gpu","sku":"h100","term_months":12,"price":{"tiers":[{"price":31070}]}},{"meter":"gpu","sku":"h100","term_months":36,"price":{"tiers":[{"price":21510}]}},{"meter":"gpu","sku":"h100-pcie","term_months":1,"price":{"tiers":[{"price":38250}]}},{"meter":"gpu","sku":"h100-pcie","term_months":3,"price":{"tiers":[{"price":34850}]}},{"meter":"gpu","sku":"h100-pcie","term_months":6,"price":{"tiers":[{"price":31875}]}},{"meter":"gpu","sku":"h100-pcie","term_months":12,"price":{"tiers":[{"price":27625}]}},{"meter":"gpu","sku":"h100-pcie","term_months":36,"price":{"tiers":[{"price":19125}]}},{"meter":"gpu","sku":"l40s","term_months":1,"price":{"tiers":[{"price":20250}]}},{"meter":"gpu","sku":"l40s","term_months":3,"price":{"tiers":[{"price":18450}]}},{"meter":"gpu","sku":"l40s","term_months":6,"price":{"tiers":[{"price":16875}]}},{"meter":"gpu","sku":"l40s","term_months":12,"price":{"tiers":[{"price":14625}]}},{"meter":"gpu","sku":"l40s","term_months":36,"price":{"tiers":[{"price":10125}]}},{"meter":"gpu","sku":"l40","term_months":1,"price":{"tiers":[{"price":11250}]}},{"meter":"gpu","sku":"l40","term_months":3,"price":{"tiers":[{"price":10250}]}},{"meter":"gpu","sku":"l40","term_months":6,"price":{"tiers":[{"price":9375}]}},{"meter":"gpu","sku":"l40","term_months":12,"price":{"tiers":[{"price":8125}]}},{"meter":"gpu","sku":"l40","term_months":36,"price":{"tiers":[{"price":5625}]}},{"meter":"gpu","sku":"a100-80","term_months":1,"price":{"tiers":[{"price":19890}]}},{"meter":"gpu","sku":"a100-80","term_months":3,"price":{"tiers":[{"price":18122}]}},{"meter":"gpu","sku":"a100-80","term_months":6,"price":{"tiers":[{"price":16575}]}},{"meter":"gpu","sku":"a100-80","term_months":12,"price":{"tiers":[{"price":14365}]}},{"meter":"gpu","sku":"a100-80","term_months":36,"price":{"tiers":[{"price":9945}]}},{"meter":"gpu","sku":"a100-40","term_months":1,"price":{"tiers":[{"price":18540}]}},{"meter":"gpu","sku":"a100-40","term_months":3,"price":{"tiers":[{"price":16892}]}},{"meter":"gpu","sku":"a100-40","term_months":6,"price":{"tiers":[{"price":15450}]}},{"meter":"gpu","sku":"a100-40","term_months":12,"price":{"tiers":[{"price":13390}]}},{"meter":"gpu","sku":"a100-40","term_months":36,"price":{"tiers":[{"price":9270}]}},{"meter":"gpu","sku":"a100-80-pcie","term_months":1,"price":{"tiers":[{"price":19890}]}},{"meter":"gpu","sku":"a100-80-pcie","term_months":3,"price":{"tiers":[{"price":18122}]}},{"meter":"gpu","sku":"a100-80-pcie","term_months":6,"price":{"tiers":[{"price":16575}]}},{"meter":"gpu","sku":"a100-80-pcie","term_months":12,"price":{"tiers":[{"price":14365}]}},{"meter":"gpu","sku":"a100-80-pcie","term_months":36,"price":{"tiers":[{"price":9945}]}},{"meter":"gpu","sku":"a100-40-pcie","term_months":1,"price":{"tiers":[{"price":18540}]}},{"meter":"gpu","sku":"a100-40-pcie","term_months":3,"price":{"tiers":[{"price":16892}]}},{"meter":"gpu","sku":"a100-40-pcie","term_months":6,"price":{"tiers":[{"price":15450}]}},{"meter":"gpu","sku":"a100-40-pcie","term_months":12,"price":{"tiers":[{"price":13390}]}},{"meter":"gpu","sku":"a100-40-pcie","term_months":36,"price":{"tiers":[{"price":9270}]}},{"meter":"gpu","sku":"a40","term_months":1,"price":{"tiers":[{"price":11520}]}},{"meter":"gpu","sku":"a40","term_months":3,"price":{"tiers":[{"price":10496}]}},{"meter":"gpu","sku":"a40","term_months":6,"price":{"tiers":[{"price":9600}]}},{"meter":"gpu","sku":"a40","term_months":12,"price":{"tiers":[{"price":8320}]}},{"meter":"gpu","sku":"a40","term_months":36,"price":{"tiers":[{"price":5760}]}},{"meter":"gpu","sku":"a6000","term_months":1,"price":{"tiers":[{"price":11520}]}},{"meter":"gpu","sku":"a6000","term_months":3,"price":{"tiers":[{"price":10496}]}},{"meter":"gpu","sku":"a6000","term_months":6,"price":{"tiers":[{"price":9600}]}},{"meter":"gpu","sku":"a6000","term_months":12,"price":{"tiers":[{"price":8320}]}},{"meter":"gpu","sku":"a6000","term_months":36,"price":{"tiers":[{"price":5760}]}},{"meter":"gpu","sku":"v100-16","term_months":1,"price":{"tiers":[{"price":7200}]}},{"meter":"gpu","sku":"v100-16","term_months":3,"price":{"tiers":[{"price":6560}]}},{"meter":"gpu","sku":"v100-16","term_months":6,"price":{"tiers":[{"price":6000}]}},{"meter":"gpu","sku":"v100-16","term_months":12,"price":{"tiers":[{"price":5200}]}},{"meter":"gpu","sku":"v100-16","term_months":36,"price":{"tiers":[{"price":3600}]}},{"meter":"gpu","sku":"a5000","term_months":1,"price":{"tiers":[{"price":6930}]}},{"meter":"gpu","sku":"a5000","term_months":3,"price":{"tiers":[{"price":6314}]}},{"meter":"gpu","sku":"a5000","term_months":6,"price":{"tiers":[{"price":5775}]}},{"meter":"gpu","sku":"a5000","term_months":12,"price":{"tiers":[{"price":5005}]}},{"meter":"gpu","sku":"a5000","term_months":36,"price":{"tiers":[{"price":3465}]}},{"meter":"gpu","sku":"a4000","term_months":1,"price":{"tiers":[{"price":5490}]}},{"meter":"gpu","sku":"a4000","term_months":3,"price":{"tiers":[{"price":5002}]}},{"meter":"gpu","sku":"a4000","term_months":6,"price":{"tiers":[{"price":4575}]}},{"meter":"gpu","sku":"a4000","term_months":12,"price":{"tiers":[{"price":3965}]}},{"meter":"gpu","sku":"a4000","term_months":36,"price":{"tiers":[{"price":2745}]}},{"meter":"gpu","sku":"rtx5000","term_months":1,"price":{"tiers":[{"price":5130}]}},{"meter":"gpu","sku":"rtx5000","term_months":3,"price":{"tiers":[{"price":4674}]}},{"meter":"gpu","sku":"rtx5000","term_months":6,"price":{"tiers":[{"price":4275}]}},{"meter":"gpu","sku":"rtx5000","term_months":12,"price":{"tiers":[{"price":3705}]}},{"meter":"gpu","sku":"rtx5000","term_months":36,"price":{"tiers":[{"price":2565}]}},{"meter":"gpu","sku":"rtx4000","term_months":1,"price":{"tiers":[{"price":2160}]}},{"meter":"gpu","sku":"rtx4000","term_months":3,"price":{"tiers":[{"price":1968}]}},{"meter":"gpu","sku":"rtx4000","term_months":6,"price":{"tiers":[{"price":1800}]}},{"meter":"gpu","sku":"rtx4000","term_months":12,"price":{"tiers":[{"price":1560}]}},{"meter":"gpu","sku":"rtx4000","term_months":36,"price":{"tiers":[{"price":1080}]}},{"meter":"memory","price":{"per":1024,"tiers":[{"price":50}]}},{"meter":"memory","term_months":1,"price":{"per":1024,"tiers":[{"price":45}]}},{"meter":"memory","term_months":3,"price":{"per":1024,"tiers":[{"price":41}]}},{"meter":"memory","term_months":6,"price":{"per":1024,"tiers":[{"price":38}]}},{"meter":"memory","term_months":12,"price":{"per":1024,"tiers":[{"price":33}]}},{"meter":"memory","term_months":36,"price":{"per":1024,"tiers":[{"price":23}]}},{"meter":"vcpu","price":{"tiers":[{"price":100}]}},{"meter":"vcpu","term_months":1,"price":{"tiers":[{"price":90}]}},{"meter":"vcpu","term_months":3,"price":{"tiers":[{"price":82}]}},{"meter":"vcpu","term_months":6,"price":{"tiers":[{"price":75}]}},{"meter":"vcpu","term_months":12,"price":{"tiers":[{"price":65}]}},{"meter":"vcpu","term_months":36,"price":{"tiers":[{"price":45}]}}]}}}]',X'9dafd887089c158f9f11db6f6ba8e2b19f3dcb576904b37900bbc9a87298c614');
INSERT INTO journal VALUES(5,5,1795896382199977,'[{"kind":"key_created","v":1,"at":"2026-11-28T20:06:22.199977Z","actor":"ampacityd","body":{"key":{"id":"01m8hw84q3ezy8a9th8d8e2p9a","lookup":"l8DYu607","hash":"8f18f247c564fc3cb47fca3cd1683e8113c322679ab585438c3087ecea68d6ab","role":"owner","label":"made by ampacityd","created_at":"2026-11-28T20:06:22.199977Z"}}}]',X'bbd630178aa504c560439d0894d98c002ab5a558292c841963dd65da407c0431');
INSERT INTO journal VALUES(6,13,1795896382207002,'[{"kind":"site_added","v":1,"at":"2026-11-28T20:06:22.207002Z","actor":"ampacityd","body":{"site":{"name":"home","region":"local","engine":"stub"}}},{"kind":"account_opened","v":1,"at":"2026-11-28T20:06:22.207002Z","actor":"ampacityd","body":{"account":{"ledger":8400,"code":4000,"name":"revenue cpu"}}},{"kind":"sku_defined","v":1,"at":"2026-11-28T20:06:22.207002Z","actor":"ampacityd","body":{"sku":{"name":"cpu","description":"this machine''s CPUs","cpu_milli_per_gpu":1000,"memory_mib_per_gpu":1024,"revenue":3}}},{"kind":"account_opened","v":1,"at":"2026-11-28T20:06:22.207002Z","actor":"ampacityd","body":{"account":{"ledger":8400,"code":4000,"name":"revenue h100"}}},{"kind":"sku_defined","v":1,"at":"2026-11-28T20:06:22.207002Z","actor":"ampacityd","body":{"sku":{"name":"h100","description":"NVIDIA H100 SXM5 80 GB (emulated)","gpu_memory_mib":81920,"peers":8,"cpu_milli_per_gpu":16000,"memory_mib_per_gpu":131072,"emulated":true,"revenue":4}}},{"kind":"node_joined","v":1,"at":"2026-11-28T20:06:22.207002Z","actor":"ampacityd","body":{"node":{"name":"vm","cpu_milli":2000,"memory_mib":23081,"rents_cpu":true}}},{"kind":"node_joined","v":1,"at":"2026-11-28T20:06:22.207002Z","actor":"ampacityd","body":{"node":{"name":"emulated-h100-1","sku":1,"gpus":["emulated-h100-1-gpu0","emulated-h100-1-gpu1","emulated-h100-1-gpu2","emulated-h100-1-gpu3","emulated-h100-1-gpu4","emulated-h100-1-gpu5","emulated-h100-1-gpu6","emulated-h100-1-gpu7"],"cpu_milli":128000,"memory_mib":1048576,"emulated":true,"rack":"rack-1","leaf":"leaf-1"}}},{"kind":"node_joined","v":1,"at":"2026-11-28T20:06:22.207002Z","actor":"ampacityd","body":{"node":{"name":"emulated-h100-2","sku":1,"gpus":["emulated-h100-2-gpu0","emulated-h100-2-gpu1","emulated-h100-2-gpu2","emulated-h100-2-gpu3","emulated-h100-2-gpu4","emulated-h100-2-gpu5","emulated-h100-2-gpu6","emulated-h100-2-gpu7"],"cpu_milli":128000,"memory_mib":1048576,"emulated":true,"rack":"rack-1","leaf":"leaf-1"}}}]',X'741b931784bcaa9d7bbac6ef3d1df403a6950a1705bbd81415036fb39587fe52');
INSERT INTO journal VALUES(14,14,1795896382252908,'[{"kind":"org_created","v":1,"at":"2026-11-28T20:06:22.252908Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"org":{"id":"01m8hw84sce4bacgp59kc4s4sp","name":"acme","created_at":"2026-11-28T20:06:22.252908Z"}}}]',X'399fe9f4eca9aa90d4a13fc0ea220b4eebbe1dec1e02f00708ec315da7c8522f');
INSERT INTO journal VALUES(15,16,1795896382267154,'[{"kind":"account_opened","v":1,"at":"2026-11-28T20:06:22.267154Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"account":{"ledger":8400,"code":2300,"flags":2,"name":"wallet demo"}}},{"kind":"project_created","v":1,"at":"2026-11-28T20:06:22.267154Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"project":{"id":"01m8hw84sve9tsrbfx2ddwkevf","name":"demo","created_at":"2026-11-28T20:06:22.267154Z","wallet":5,"share":{"at":"2026-11-28T20:06:22.267154Z"}}}}]',X'fa9cb102e5a020e5b3f3d3cf8e58032eafe6489e39add4dee19277a2204b6404');
INSERT INTO journal VALUES(17,17,1795896382271837,'[{"kind":"user_created","v":1,"at":"2026-11-28T20:06:22.271837Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"user":{"id":"01m8hw84szetbr1dzgmssjfx0a","name":"ann","created_at":"2026-11-28T20:06:22.271837Z"}}}]',X'3e4b2cd23591b571302accf3ffb534faa5bee0aa05657da6aca8c0b543bfc486');
INSERT INTO journal VALUES(18,18,1795896382298961,'[{"kind":"credit_added","v":1,"at":"2026-11-28T20:06:22.298961Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"minor":100000,"transfers":[{"id":"00000000000000000000000001","debit":"00000000000000000000000001","credit":"00000000000000000000000002","amount":100000,"ledger":8401,"code":1},{"id":"00000000000000000000000002","debit":"00000000000000000000000003","credit":"00000000000000000000000006","amount":36000000000,"ledger":8400,"code":1}]}}]',X'4c976e680a1368aa346c9aa62dd8b5e5d3b37e0fe7fe6f53c0be171e98d3b1f6');
INSERT INTO journal VALUES(19,19,1795896382323149,'[{"kind":"key_created","v":1,"at":"2026-11-28T20:06:22.323149Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"key":{"id":"01m8hw84vkf2s8p09ec9mw923e","lookup":"xspdqRQs","hash":"19795b70dda2c3d9c7a9b35015946373584aab2d0db6692c96f67715503d3bfd","project":0,"user":0,"created_at":"2026-11-28T20:06:22.323149Z"}}}]',X'7936161e986e8907e0ce6cee59834ee50eb5efed0cbcda4cc44ebab523781821');
INSERT INTO journal VALUES(20,21,1795896382327884,'[{"kind":"job_submitted","v":1,"at":"2026-11-28T20:06:22.327884Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":{"id":"01m8hw84vqfqabdfv74gdgjh5k","name":"old-0","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[0],"cpu_milli":100,"memory_mib":64},"submitted_at":"2026-11-28T20:06:22.327884Z","queue_order":1}}},{"kind":"lease_granted","v":1,"at":"2026-11-28T20:06:22.327884Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":"01m8hw84vqfqabdfv74gdgjh5k","lease":{"granted_at":"2026-11-28T20:06:22.327884Z","places":[{}],"ranks":[{}],"cpu_milli":100,"memory_mib":64,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"paid_s":600,"pending_id":3},"transfers":[{"id":"00000000000000000000000003","debit":"00000000000000000000000006","credit":"00000000000000000000000004","amount":7875,"ledger":8400,"code":3,"flags":2}]}}]',X'b9c38916df1abf96396dbeef8ed3d77d026c50a29a64a0b0f0897413e5ce8f10');
INSERT INTO journal VALUES(22,24,1795896382342987,'[{"kind":"job_submitted","v":1,"at":"2026-11-28T20:06:22.342987Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":{"id":"01m8hw84vvfrcsyzatvctskys3","name":"old-1","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[1],"gpus_per_node":8,"cpu_milli":8000,"memory_mib":8192},"submitted_at":"2026-11-28T20:06:22.342987Z","queue_order":2}}},{"kind":"lease_granted","v":1,"at":"2026-11-28T20:06:22.342987Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":"01m8hw84vvfrcsyzatvctskys3","lease":{"granted_at":"2026-11-28T20:06:22.342987Z","sku":1,"places":[{"node":1,"gpu_mask":255}],"ranks":[{}],"cpu_milli":8000,"memory_mib":8192,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"paid_s":600,"pending_id":4},"transfers":[{"id":"00000000000000000000000004","debit":"00000000000000000000000006","credit":"00000000000000000000000005","amount":230160000,"ledger":8400,"code":3,"flags":2}]}},{"kind":"rank_started","v":1,"at":"2026-11-28T20:06:22.342987Z","actor":"engine","body":{"job":"01m8hw84vqfqabdfv74gdgjh5k","started_at":"2026-11-28T20:06:22.330967Z"}}]',X'12d18617ec772b73097c90da70eb86e1a5eb98dc389ac368065f22e7aeb58b71');
INSERT INTO journal VALUES(25,25,1795896382351100,'[{"kind":"rank_started","v":1,"at":"2026-11-28T20:06:22.3511Z","actor":"engine","body":{"job":"01m8hw84vvfrcsyzatvctskys3","started_at":"2026-11-28T20:06:22.350977Z"}}]',X'9d1f55525788f4ac310058aa51d6a2a30bea06f85f9ae7175310422f4f63aad2');
INSERT INTO journal VALUES(26,27,1795896382358982,'[{"kind":"job_submitted","v":1,"at":"2026-11-28T20:06:22.358982Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":{"id":"01m8hw84wges4tb75acgf6a098","name":"old-2","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[0],"cpu_milli":100,"memory_mib":64},"submitted_at":"2026-11-28T20:06:22.358982Z","queue_order":3}}},{"kind":"lease_granted","v":1,"at":"2026-11-28T20:06:22.358982Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":"01m8hw84wges4tb75acgf6a098","lease":{"granted_at":"2026-11-28T20:06:22.358982Z","places":[{}],"ranks":[{}],"cpu_milli":100,"memory_mib":64,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"paid_s":600,"pending_id":5},"transfers":[{"id":"00000000000000000000000005","debit":"00000000000000000000000006","credit":"00000000000000000000000004","amount":7875,"ledger":8400,"code":3,"flags":2}]}}]',X'c6370b9b135e1024e3e7ebc77ff70b490faac7afdb63c09508b0e711cffcf86a');
INSERT INTO journal VALUES(28,28,1795896382367045,'[{"kind":"rank_started","v":1,"at":"2026-11-28T20:06:22.367045Z","actor":"engine","body":{"job":"01m8hw84wges4tb75acgf6a098","started_at":"2026-11-28T20:06:22.366993Z"}}]',X'82a07f5948771a0000de5fc397932f6429eaa71ae6d3cd6aabbe0f5455ce4a08');
INSERT INTO journal VALUES(29,30,1795896382377360,'[{"kind":"job_submitted","v":1,"at":"2026-11-28T20:06:22.37736Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":{"id":"01m8hw84wzfgethe3x71ef28t4","name":"old-3","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[1],"gpus_per_node":8,"cpu_milli":8000,"memory_mib":8192},"submitted_at":"2026-11-28T20:06:22.37736Z","queue_order":4}}},{"kind":"lease_granted","v":1,"at":"2026-11-28T20:06:22.37736Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":"01m8hw84wzfgethe3x71ef28t4","lease":{"granted_at":"2026-11-28T20:06:22.37736Z","sku":1,"places":[{"node":2,"gpu_mask":255}],"ranks":[{}],"cpu_milli":8000,"memory_mib":8192,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"paid_s":600,"pending_id":6},"transfers":[{"id":"00000000000000000000000006","debit":"00000000000000000000000006","credit":"00000000000000000000000005","amount":230160000,"ledger":8400,"code":3,"flags":2}]}}]',X'34cb1a00520b1b6d16488446476b7b7ff5903abfa409bc14f1f3716a483ffec9');
INSERT INTO journal VALUES(31,33,1795896382386033,'[{"kind":"job_submitted","v":1,"at":"2026-11-28T20:06:22.386033Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":{"id":"01m8hw84xjetg8qc8jv8yran20","name":"old-4","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[0],"cpu_milli":100,"memory_mib":64},"submitted_at":"2026-11-28T20:06:22.386033Z","queue_order":5}}},{"kind":"lease_granted","v":1,"at":"2026-11-28T20:06:22.386033Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":"01m8hw84xjetg8qc8jv8yran20","lease":{"granted_at":"2026-11-28T20:06:22.386033Z","places":[{}],"ranks":[{}],"cpu_milli":100,"memory_mib":64,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"paid_s":600,"pending_id":7},"transfers":[{"id":"00000000000000000000000007","debit":"00000000000000000000000006","credit":"00000000000000000000000004","amount":7875,"ledger":8400,"code":3,"flags":2}]}},{"kind":"rank_started","v":1,"at":"2026-11-28T20:06:22.386033Z","actor":"engine","body":{"job":"01m8hw84wzfgethe3x71ef28t4","started_at":"2026-11-28T20:06:22.385163Z"}}]',X'81282cca724c6f9375f2ed783ae09da79fdf39264f04a1cbcfc97658a92953f5');
INSERT INTO journal VALUES(34,34,1795896382395649,'[{"kind":"job_submitted","v":1,"at":"2026-11-28T20:06:22.395649Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":{"id":"01m8hw84xvfcd98rj73yxfpxr9","name":"old-5","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[1],"gpus_per_node":8,"cpu_milli":8000,"memory_mib":8192},"submitted_at":"2026-11-28T20:06:22.395649Z","queue_order":6}}}]',X'622403b21b3b814ea1f3e24f50f9ad8b7e07006eb11762cf3201f244c12d8176');
INSERT INTO journal VALUES(35,35,1795896382406099,'[{"kind":"rank_started","v":1,"at":"2026-11-28T20:06:22.406099Z","actor":"engine","body":{"job":"01m8hw84xjetg8qc8jv8yran20","started_at":"2026-11-28T20:06:22.39499Z"}}]',X'1f562a76c7303672394aff239106c9b93d0d0b9d056169f9b7c0ca7c8a9b01e9');
INSERT INTO journal VALUES(36,36,1795896382533839,'[{"kind":"lease_closed","v":1,"at":"2026-11-28T20:06:22.533839Z","actor":"engine","body":{"job":"01m8hw84vqfqabdfv74gdgjh5k","interval":{"started_at":"2026-11-28T20:06:22.330967Z","started_sequence":24,"ended_at":"2026-11-28T20:06:22.530967Z","billed_s":1,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"amounts":{"vcpu":10,"memory":4},"places":[{}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.330967Z","ended_at":"2026-11-28T20:06:22.530967Z"}]},"transfers":[{"id":"00000000000000000000000008","debit":"00000000000000000000000006","credit":"00000000000000000000000004","amount":14,"pending_id":"00000000000000000000000003","ledger":8400,"code":3,"flags":4}],"outcome":"succeeded"}}]',X'1f6d6f5702536697fb114c5bb1ad2bacf2cb67f4a52eb35cf42dada94524f070');
INSERT INTO journal VALUES(37,38,1795896382554340,'[{"kind":"lease_closed","v":1,"at":"2026-11-28T20:06:22.55434Z","actor":"engine","body":{"job":"01m8hw84vvfrcsyzatvctskys3","interval":{"sku":1,"started_at":"2026-11-28T20:06:22.350977Z","started_sequence":25,"ended_at":"2026-11-28T20:06:22.550977Z","billed_s":1,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"amounts":{"gpu":382400,"vcpu":800,"memory":400},"places":[{"node":1,"gpu_mask":255}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.350977Z","ended_at":"2026-11-28T20:06:22.550977Z"}]},"transfers":[{"id":"00000000000000000000000009","debit":"00000000000000000000000006","credit":"00000000000000000000000005","amount":383600,"pending_id":"00000000000000000000000004","ledger":8400,"code":3,"flags":4}],"outcome":"succeeded"}},{"kind":"lease_granted","v":1,"at":"2026-11-28T20:06:22.55434Z","actor":"queue","body":{"job":"01m8hw84xvfcd98rj73yxfpxr9","lease":{"granted_at":"2026-11-28T20:06:22.55434Z","sku":1,"places":[{"node":1,"gpu_mask":255}],"ranks":[{}],"cpu_milli":8000,"memory_mib":8192,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"paid_s":600,"pending_id":10},"transfers":[{"id":"0000000000000000000000000a","debit":"00000000000000000000000006","credit":"00000000000000000000000005","amount":230160000,"ledger":8400,"code":3,"flags":2}]}}]',X'a8bf581342ca010cadc4b06f0fdaec0a957eb72cfff7d46152b400044b6014ca');
INSERT INTO journal VALUES(39,39,1795896382566568,'[{"kind":"rank_started","v":1,"at":"2026-11-28T20:06:22.566568Z","actor":"engine","body":{"job":"01m8hw84xvfcd98rj73yxfpxr9","started_at":"2026-11-28T20:06:22.562672Z"}}]',X'82984f9934582574c634a3f27d0966757b5f22d35473b3e6f2f48463d0d400d0');
INSERT INTO journal VALUES(40,40,1795896382574776,'[{"kind":"lease_closed","v":1,"at":"2026-11-28T20:06:22.574776Z","actor":"engine","body":{"job":"01m8hw84wges4tb75acgf6a098","interval":{"started_at":"2026-11-28T20:06:22.366993Z","started_sequence":28,"ended_at":"2026-11-28T20:06:22.566993Z","billed_s":1,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"amounts":{"vcpu":10,"memory":4},"places":[{}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.366993Z","ended_at":"2026-11-28T20:06:22.566993Z"}]},"transfers":[{"id":"0000000000000000000000000b","debit":"00000000000000000000000006","credit":"00000000000000000000000004","amount":14,"pending_id":"00000000000000000000000005","ledger":8400,"code":3,"flags":4}],"outcome":"succeeded"}}]',X'4729f9127cdd301a5caa894a326fd1fff4a72f3f5fe3d2ce74f254722cc42477');
INSERT INTO journal VALUES(41,41,1795896382588097,'[{"kind":"lease_closed","v":1,"at":"2026-11-28T20:06:22.588097Z","actor":"engine","body":{"job":"01m8hw84wzfgethe3x71ef28t4","interval":{"sku":1,"started_at":"2026-11-28T20:06:22.385163Z","started_sequence":33,"ended_at":"2026-11-28T20:06:22.585163Z","billed_s":1,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"amounts":{"gpu":382400,"vcpu":800,"memory":400},"places":[{"node":2,"gpu_mask":255}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.385163Z","ended_at":"2026-11-28T20:06:22.585163Z"}]},"transfers":[{"id":"0000000000000000000000000c","debit":"00000000000000000000000006","credit":"00000000000000000000000005","amount":383600,"pending_id":"00000000000000000000000006","ledger":8400,"code":3,"flags":4}],"outcome":"succeeded"}}]',X'6e784581c34672bbaf202f4dacb31487ba56cd169f6a20fcf135294ab0f67c77');
INSERT INTO journal VALUES(42,42,1795896382602932,'[{"kind":"lease_closed","v":1,"at":"2026-11-28T20:06:22.602932Z","actor":"engine","body":{"job":"01m8hw84xjetg8qc8jv8yran20","interval":{"started_at":"2026-11-28T20:06:22.39499Z","started_sequence":35,"ended_at":"2026-11-28T20:06:22.59499Z","billed_s":1,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"amounts":{"vcpu":10,"memory":4},"places":[{}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.39499Z","ended_at":"2026-11-28T20:06:22.59499Z"}]},"transfers":[{"id":"0000000000000000000000000d","debit":"00000000000000000000000006","credit":"00000000000000000000000004","amount":14,"pending_id":"00000000000000000000000007","ledger":8400,"code":3,"flags":4}],"outcome":"succeeded"}}]',X'5fd4565e96595f7d5f69839fcbb26d0e2a659dff940d1984a42688369c97ab81');
INSERT INTO journal VALUES(43,43,1795896382762735,'[{"kind":"lease_closed","v":1,"at":"2026-11-28T20:06:22.762735Z","actor":"engine","body":{"job":"01m8hw84xvfcd98rj73yxfpxr9","interval":{"sku":1,"started_at":"2026-11-28T20:06:22.562672Z","started_sequence":39,"ended_at":"2026-11-28T20:06:22.762672Z","billed_s":1,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"amounts":{"gpu":382400,"vcpu":800,"memory":400},"places":[{"node":1,"gpu_mask":255}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.562672Z","ended_at":"2026-11-28T20:06:22.762672Z"}]},"transfers":[{"id":"0000000000000000000000000e","debit":"00000000000000000000000006","credit":"00000000000000000000000005","amount":383600,"pending_id":"0000000000000000000000000a","ledger":8400,"code":3,"flags":4}],"outcome":"succeeded"}}]',X'57e119f14933ca1e989296e5df1644e123f06db4fd721a6fbd7745c050ccbcc2');
INSERT INTO journal VALUES(44,45,1795896382785813,'[{"kind":"job_submitted","v":1,"at":"2026-11-28T20:06:22.785813Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":{"id":"01m8hw85a1ek1tzrhyfs3s6v52","name":"waits","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[1],"nodes":2,"gpus_per_node":8,"cpu_milli":8000,"memory_mib":8192},"submitted_at":"2026-11-28T20:06:22.785813Z","queue_order":7}}},{"kind":"lease_granted","v":1,"at":"2026-11-28T20:06:22.785813Z","actor":"key-01m8hw84vkf2s8p09ec9mw923e","body":{"job":"01m8hw85a1ek1tzrhyfs3s6v52","lease":{"granted_at":"2026-11-28T20:06:22.785813Z","sku":1,"places":[{"node":1,"gpu_mask":255},{"node":2,"gpu_mask":255}],"ranks":[{},{}],"cpu_milli":8000,"memory_mib":8192,"rates":{"price_version":1,"gpu_price":47800,"gpus":16,"vcpu_price":100,"cpu_milli":16000,"gib_price":50,"memory_mib":16384},"paid_s":600,"pending_id":15},"transfers":[{"id":"0000000000000000000000000f","debit":"00000000000000000000000006","credit":"00000000000000000000000005","amount":460320000,"ledger":8400,"code":3,"flags":2}]}}]',X'50a1a6851823c35fcbe94dfda0205ce19f292cbee38d0c63beb6203e7e777610');
INSERT INTO journal VALUES(46,47,1795896382792543,'[{"kind":"rank_started","v":1,"at":"2026-11-28T20:06:22.792543Z","actor":"engine","body":{"job":"01m8hw85a1ek1tzrhyfs3s6v52","started_at":"2026-11-28T20:06:22.792451Z"}},{"kind":"rank_started","v":1,"at":"2026-11-28T20:06:22.792543Z","actor":"engine","body":{"job":"01m8hw85a1ek1tzrhyfs3s6v52","rank":1,"started_at":"2026-11-28T20:06:22.792451Z"}}]',X'89239937e3addcfa5c08558cae00967778b961eb88f70525adf21781856b64d3');
INSERT INTO journal VALUES(48,49,1795896382993496,'[{"kind":"rank_ended","v":1,"at":"2026-11-28T20:06:22.993496Z","actor":"engine","body":{"job":"01m8hw85a1ek1tzrhyfs3s6v52","end":{"state":"ended","started_at":"2026-11-28T20:06:22.792451Z","ended_at":"2026-11-28T20:06:22.992451Z"}}},{"kind":"lease_closed","v":1,"at":"2026-11-28T20:06:22.993496Z","actor":"engine","body":{"job":"01m8hw85a1ek1tzrhyfs3s6v52","interval":{"sku":1,"started_at":"2026-11-28T20:06:22.792451Z","started_sequence":46,"ended_at":"2026-11-28T20:06:22.992451Z","billed_s":1,"rates":{"price_version":1,"gpu_price":47800,"gpus":16,"vcpu_price":100,"cpu_milli":16000,"gib_price":50,"memory_mib":16384},"amounts":{"gpu":764800,"vcpu":1600,"memory":800},"places":[{"node":1,"gpu_mask":255},{"node":2,"gpu_mask":255}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.792451Z","ended_at":"2026-11-28T20:06:22.992451Z"},{"state":"ended","started_at":"2026-11-28T20:06:22.792451Z","ended_at":"2026-11-28T20:06:22.992451Z"}]},"transfers":[{"id":"0000000000000000000000000g","debit":"00000000000000000000000006","credit":"00000000000000000000000005","amount":767200,"pending_id":"0000000000000000000000000f","ledger":8400,"code":3,"flags":4}],"outcome":"succeeded"}}]',X'897b866cd7af58c4475308bd5491acdf1098375355ec0d4bac5d5667a16df855');
INSERT INTO journal VALUES(50,50,1795896383026923,'[{"kind":"webhook_added","v":1,"at":"2026-11-28T20:06:23.026923Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"webhook":{"id":"01m8hw85heffx96jkv4mftn68k","url":"https://example.org/h","events":["job.started"],"project":0,"created_at":"2026-11-28T20:06:23.026923Z"}}}]',X'03156f93c68e114ad8feacce8b9e43e415509558052273d12c15cecd2bd80427');
INSERT INTO journal VALUES(51,51,1795896383106931,'[{"kind":"window_opened","v":1,"at":"2026-11-28T20:06:23.106931Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"window":{"id":"01m8hw85kyexnr1zmc9et4pdkb","name":"night","project":0,"sku":1,"gpus":8,"from":"2026-11-29T06:06:23.096165Z","until":"2026-11-29T08:06:23.096165Z","places":[{"node":1,"gpu_mask":255}]}}}]',X'5f47c987a4d463635843feda811db70cc61520a9fcd92d55c80f32f02b86ec03');
INSERT INTO journal VALUES(52,52,1795896383164568,'[{"kind":"budget_set","v":1,"at":"2026-11-28T20:06:23.164568Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"budget":{"id":"01m8hw85nweqpsysz6fpzqzb59","name":"demo-month-usd","org":0,"project":0,"limit":18000000000,"blocks":true,"by_owner":true,"created_at":"2026-11-28T20:06:23.164568Z"}}}]',X'14f61e8074ef197ebf503bcef9e4688f851e7a0e526a596eb1ba8fa8b506497c');
INSERT INTO journal VALUES(53,53,1795896383239004,'[{"kind":"quota_set","v":1,"at":"2026-11-28T20:06:23.239004Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"project":0,"quota":{"gpus":[{"gpu_milli":16000}]}}}]',X'a8a3a2526337e869970f00812c0f90a34bc999ec7e16a4f0ffb8fd07d9f1593e');
INSERT INTO journal VALUES(54,54,1795896383294983,'[{"kind":"weight_set","v":1,"at":"2026-11-28T20:06:23.294983Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"weight":2}}]',X'63995a9f0d624adc17aa0cf4af5756b57d95f22b180eeb0c5ec955c7011e654e');
INSERT INTO journal VALUES(55,55,1795896383314940,'[{"kind":"key_created","v":1,"at":"2026-11-28T20:06:23.31494Z","actor":"key-01m8hw84q3ezy8a9th8d8e2p9a","body":{"key":{"id":"01m8hw85teezb9xqqrwn1enzzj","lookup":"sEe2bBYQ","hash":"6bb00efc0a7cf05a13a06c1b694a60bdfa0a7ab580d18759db0b90515802dec2","project":0,"user":0,"created_at":"2026-11-28T20:06:23.31494Z"}}}]',X'16b1447dc828fd2aefad2dcbe485cc5d8e9a4e59b5b2524db9026a610b821006');
CREATE TABLE jobs (
  id BLOB NOT NULL PRIMARY KEY,
  project_ix BIGINT NOT NULL,
  user_ix BIGINT NOT NULL,
  name TEXT NOT NULL,
  outcome TEXT NOT NULL,
  submitted_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO jobs VALUES(X'01a223c413777dd4b6bf67241b0944b3',0,0,'old-0','succeeded',1795896382327884,1795896382530967,'{"id":"01m8hw84vqfqabdfv74gdgjh5k","name":"old-0","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[0],"cpu_milli":100,"memory_mib":64},"submitted_at":"2026-11-28T20:06:22.327884Z","queue_order":1,"state":"ended","generation":1,"intervals":[{"started_at":"2026-11-28T20:06:22.330967Z","started_sequence":24,"ended_at":"2026-11-28T20:06:22.530967Z","billed_s":1,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"amounts":{"vcpu":10,"memory":4},"places":[{}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.330967Z","ended_at":"2026-11-28T20:06:22.530967Z"}]}],"outcome":"succeeded","ended_at":"2026-11-28T20:06:22.530967Z"}');
INSERT INTO jobs VALUES(X'01a223c4137b7e199f7d5adb3599fb23',0,0,'old-1','succeeded',1795896382342987,1795896382550977,'{"id":"01m8hw84vvfrcsyzatvctskys3","name":"old-1","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[1],"gpus_per_node":8,"cpu_milli":8000,"memory_mib":8192},"submitted_at":"2026-11-28T20:06:22.342987Z","queue_order":2,"state":"ended","generation":1,"intervals":[{"sku":1,"started_at":"2026-11-28T20:06:22.350977Z","started_sequence":25,"ended_at":"2026-11-28T20:06:22.550977Z","billed_s":1,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"amounts":{"gpu":382400,"vcpu":800,"memory":400},"places":[{"node":1,"gpu_mask":255}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.350977Z","ended_at":"2026-11-28T20:06:22.550977Z"}]}],"outcome":"succeeded","ended_at":"2026-11-28T20:06:22.550977Z"}');
INSERT INTO jobs VALUES(X'01a223c413907649a59caa641e650128',0,0,'old-2','succeeded',1795896382358982,1795896382566993,'{"id":"01m8hw84wges4tb75acgf6a098","name":"old-2","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[0],"cpu_milli":100,"memory_mib":64},"submitted_at":"2026-11-28T20:06:22.358982Z","queue_order":3,"state":"ended","generation":1,"intervals":[{"started_at":"2026-11-28T20:06:22.366993Z","started_sequence":28,"ended_at":"2026-11-28T20:06:22.566993Z","billed_s":1,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"amounts":{"vcpu":10,"memory":4},"places":[{}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.366993Z","ended_at":"2026-11-28T20:06:22.566993Z"}]}],"outcome":"succeeded","ended_at":"2026-11-28T20:06:22.566993Z"}');
INSERT INTO jobs VALUES(X'01a223c4139f7c1da8b87d385cf12344',0,0,'old-3','succeeded',1795896382377360,1795896382585163,'{"id":"01m8hw84wzfgethe3x71ef28t4","name":"old-3","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[1],"gpus_per_node":8,"cpu_milli":8000,"memory_mib":8192},"submitted_at":"2026-11-28T20:06:22.37736Z","queue_order":4,"state":"ended","generation":1,"intervals":[{"sku":1,"started_at":"2026-11-28T20:06:22.385163Z","started_sequence":33,"ended_at":"2026-11-28T20:06:22.585163Z","billed_s":1,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"amounts":{"gpu":382400,"vcpu":800,"memory":400},"places":[{"node":2,"gpu_mask":255}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.385163Z","ended_at":"2026-11-28T20:06:22.585163Z"}]}],"outcome":"succeeded","ended_at":"2026-11-28T20:06:22.585163Z"}');
INSERT INTO jobs VALUES(X'01a223c413b276a08bb112da3d855440',0,0,'old-4','succeeded',1795896382386033,1795896382594990,'{"id":"01m8hw84xjetg8qc8jv8yran20","name":"old-4","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[0],"cpu_milli":100,"memory_mib":64},"submitted_at":"2026-11-28T20:06:22.386033Z","queue_order":5,"state":"ended","generation":1,"intervals":[{"started_at":"2026-11-28T20:06:22.39499Z","started_sequence":35,"ended_at":"2026-11-28T20:06:22.59499Z","billed_s":1,"rates":{"price_version":1,"vcpu_price":100,"cpu_milli":100,"gib_price":50,"memory_mib":64},"amounts":{"vcpu":10,"memory":4},"places":[{}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.39499Z","ended_at":"2026-11-28T20:06:22.59499Z"}]}],"outcome":"succeeded","ended_at":"2026-11-28T20:06:22.59499Z"}');
INSERT INTO jobs VALUES(X'01a223c413bb7b1a9462471fbafb7709',0,0,'old-5','succeeded',1795896382395649,1795896382762672,'{"id":"01m8hw84xvfcd98rj73yxfpxr9","name":"old-5","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[1],"gpus_per_node":8,"cpu_milli":8000,"memory_mib":8192},"submitted_at":"2026-11-28T20:06:22.395649Z","queue_order":6,"state":"ended","generation":1,"intervals":[{"sku":1,"started_at":"2026-11-28T20:06:22.562672Z","started_sequence":39,"ended_at":"2026-11-28T20:06:22.762672Z","billed_s":1,"rates":{"price_version":1,"gpu_price":47800,"gpus":8,"vcpu_price":100,"cpu_milli":8000,"gib_price":50,"memory_mib":8192},"amounts":{"gpu":382400,"vcpu":800,"memory":400},"places":[{"node":1,"gpu_mask":255}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.562672Z","ended_at":"2026-11-28T20:06:22.762672Z"}]}],"outcome":"succeeded","ended_at":"2026-11-28T20:06:22.762672Z"}');
INSERT INTO jobs VALUES(X'01a223c4154174c3afe23e7e47936ca2',0,0,'waits','succeeded',1795896382785813,1795896382992451,'{"id":"01m8hw85a1ek1tzrhyfs3s6v52","name":"waits","user":0,"key":"01m8hw84vkf2s8p09ec9mw923e","spec":{"image":"localhost/ampacity-tiny","command":["sh","-c","true"]},"demand":{"skus":[1],"nodes":2,"gpus_per_node":8,"cpu_milli":8000,"memory_mib":8192},"submitted_at":"2026-11-28T20:06:22.785813Z","queue_order":7,"state":"ended","generation":1,"intervals":[{"sku":1,"started_at":"2026-11-28T20:06:22.792451Z","started_sequence":46,"ended_at":"2026-11-28T20:06:22.992451Z","billed_s":1,"rates":{"price_version":1,"gpu_price":47800,"gpus":16,"vcpu_price":100,"cpu_milli":16000,"gib_price":50,"memory_mib":16384},"amounts":{"gpu":764800,"vcpu":1600,"memory":800},"places":[{"node":1,"gpu_mask":255},{"node":2,"gpu_mask":255}],"ranks":[{"state":"ended","started_at":"2026-11-28T20:06:22.792451Z","ended_at":"2026-11-28T20:06:22.992451Z"},{"state":"ended","started_at":"2026-11-28T20:06:22.792451Z","ended_at":"2026-11-28T20:06:22.992451Z"}]}],"outcome":"succeeded","ended_at":"2026-11-28T20:06:22.992451Z"}');
CREATE TABLE names (
  kind TEXT NOT NULL,
  ix BIGINT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, ix)
) WITHOUT ROWID;
INSERT INTO names VALUES('node',0,'vm','vm');
INSERT INTO names VALUES('node',1,'emulated-h100-1','emulated-h100-1');
INSERT INTO names VALUES('node',2,'emulated-h100-2','emulated-h100-2');
INSERT INTO names VALUES('org',0,'org-01m8hw84sce4bacgp59kc4s4sp','acme');
INSERT INTO names VALUES('project',0,'prj-01m8hw84sve9tsrbfx2ddwkevf','demo');
INSERT INTO names VALUES('sku',0,'cpu','cpu');
INSERT INTO names VALUES('sku',1,'h100','h100');
INSERT INTO names VALUES('user',0,'user-01m8hw84szetbr1dzgmssjfx0a','ann');
CREATE TABLE remembered (
  n INTEGER NOT NULL PRIMARY KEY,
  scope TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  at BIGINT NOT NULL,
  UNIQUE (scope, idempotency_key)
);
INSERT INTO remembered VALUES(1,'key-01m8hw84q3ezy8a9th8d8e2p9a','HZXogIdInQ9XE1eg3tSgT8',X'e32482f74fd96bce48244b62ca06e089c2888f71bf5b6321566f9ec37cf186cf',201,'{"id":"rsv-01m8hw85kyexnr1zmc9et4pdkb","name":"night","project":"demo","sku":"h100","gpus":8,"gpus_kept":8,"gpus_used":0,"state":"upcoming","from":"2026-11-29T06:06:23.096165Z","until":"2026-11-29T08:06:23.096165Z","release_unused":false,"nodes":["emulated-h100-1"]}',1795896383106931);
CREATE TABLE sealed_env (job BLOB NOT NULL PRIMARY KEY, box BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE snapshots (
  sequence INTEGER NOT NULL PRIMARY KEY,
  body TEXT NOT NULL,
  digest BLOB NOT NULL
);
CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('alive_us','1795896382330983');
CREATE TABLE meter_sources (
  ix INTEGER NOT NULL PRIMARY KEY,
  sender BIGINT NOT NULL,
  source TEXT NOT NULL,
  UNIQUE (sender, source)
);
CREATE TABLE meter_events (
  sequence INTEGER NOT NULL PRIMARY KEY,
  received_at BIGINT NOT NULL,
  source_ix BIGINT NOT NULL,
  id TEXT NOT NULL,
  project_ix BIGINT NOT NULL,
  meter TEXT NOT NULL,
  quantity_micro BIGINT NOT NULL,
  time BIGINT NOT NULL,
  period_from BIGINT NOT NULL,
  period_until BIGINT NOT NULL,
  corrects_source_ix BIGINT,
  corrects_id TEXT,
  sku TEXT NOT NULL,
  site TEXT NOT NULL,
  resource TEXT NOT NULL,
  hash BLOB NOT NULL,
  UNIQUE (source_ix, id),
  CHECK (quantity_micro >= 0 AND period_until >= period_from),
  CHECK ((corrects_id IS NULL) = (corrects_source_ix IS NULL))
);
CREATE TABLE meter_commits (
  first_sequence INTEGER NOT NULL PRIMARY KEY,
  last_sequence BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  chain BLOB NOT NULL,
  CHECK (last_sequence >= first_sequence)
);
CREATE TABLE invoices (
  id BLOB NOT NULL PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  org_ix BIGINT NOT NULL,
  currency TEXT NOT NULL,
  period_from BIGINT NOT NULL,
  period_until BIGINT NOT NULL,
  known_sequence BIGINT NOT NULL,
  inputs_hash TEXT NOT NULL,
  issued_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  lines_minor BIGINT NOT NULL,
  covered_minor BIGINT NOT NULL,
  net_minor BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  total_minor BIGINT NOT NULL,
  prepaid_minor BIGINT NOT NULL,
  payable_minor BIGINT NOT NULL,
  corrects BLOB,
  sequence BIGINT NOT NULL,
  body TEXT NOT NULL,
  CHECK (net_minor = lines_minor - covered_minor AND total_minor = net_minor + tax_minor AND
         payable_minor = total_minor - prepaid_minor)
) WITHOUT ROWID;
CREATE TABLE invoice_lines (
  invoice BLOB NOT NULL,
  n BIGINT NOT NULL,
  org_ix BIGINT NOT NULL,
  kind TEXT NOT NULL,
  project_ix BIGINT NOT NULL,
  meter TEXT NOT NULL,
  sku_ix BIGINT NOT NULL,
  site_ix BIGINT NOT NULL,
  job_class TEXT NOT NULL,
  price_version BIGINT NOT NULL,
  contract BLOB,
  month BIGINT NOT NULL,
  period_from BIGINT NOT NULL,
  period_until BIGINT NOT NULL,
  quantity BIGINT NOT NULL,
  per BIGINT NOT NULL,
  price BIGINT NOT NULL,
  ticks BIGINT NOT NULL,
  minor BIGINT NOT NULL,
  covered_minor BIGINT NOT NULL,
  correction BIGINT NOT NULL,
  description TEXT NOT NULL,
  PRIMARY KEY (invoice, n)
) WITHOUT ROWID;
CREATE TABLE payments (
  id BLOB NOT NULL PRIMARY KEY,
  invoice BLOB NOT NULL,
  minor BIGINT NOT NULL,
  provider TEXT NOT NULL,
  reference TEXT NOT NULL,
  paid_at BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  CHECK (minor > 0)
) WITHOUT ROWID;
CREATE TABLE transfers (
  timestamp INTEGER NOT NULL PRIMARY KEY,
  id BLOB NOT NULL,
  debit_ix BIGINT NOT NULL,
  credit_ix BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  pending_id BLOB,
  user_data BLOB,
  timeout_s BIGINT NOT NULL,
  ledger BIGINT NOT NULL,
  code BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  reason TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  at BIGINT NOT NULL,
  job BLOB,
  generation BIGINT NOT NULL,
  kind TEXT GENERATED ALWAYS AS (CASE WHEN flags & 2 THEN 'pending' WHEN flags & 4 THEN 'post'
                                      WHEN flags & 8 THEN 'release' ELSE 'single' END) VIRTUAL,
  CHECK (amount >= 0 AND debit_ix <> credit_ix AND ledger > 0 AND code > 0)
);
INSERT INTO transfers VALUES(1795896382298961,X'00000000000000000000000000000001',0,1,100000,NULL,NULL,0,8401,1,0,'credit',18,1795896382298961,NULL,0);
INSERT INTO transfers VALUES(1795896382298962,X'00000000000000000000000000000002',2,5,36000000000,NULL,NULL,0,8400,1,0,'credit',18,1795896382298961,NULL,0);
INSERT INTO transfers VALUES(1795896382327884,X'00000000000000000000000000000003',5,3,7875,NULL,NULL,0,8400,3,2,'hold',21,1795896382327884,X'01a223c413777dd4b6bf67241b0944b3',1);
INSERT INTO transfers VALUES(1795896382342987,X'00000000000000000000000000000004',5,4,230160000,NULL,NULL,0,8400,3,2,'hold',23,1795896382342987,X'01a223c4137b7e199f7d5adb3599fb23',1);
INSERT INTO transfers VALUES(1795896382358982,X'00000000000000000000000000000005',5,3,7875,NULL,NULL,0,8400,3,2,'hold',27,1795896382358982,X'01a223c413907649a59caa641e650128',1);
INSERT INTO transfers VALUES(1795896382377360,X'00000000000000000000000000000006',5,4,230160000,NULL,NULL,0,8400,3,2,'hold',30,1795896382377360,X'01a223c4139f7c1da8b87d385cf12344',1);
INSERT INTO transfers VALUES(1795896382386033,X'00000000000000000000000000000007',5,3,7875,NULL,NULL,0,8400,3,2,'hold',32,1795896382386033,X'01a223c413b276a08bb112da3d855440',1);
INSERT INTO transfers VALUES(1795896382533839,X'00000000000000000000000000000008',5,3,14,X'00000000000000000000000000000003',NULL,0,8400,3,4,'usage',36,1795896382533839,X'01a223c413777dd4b6bf67241b0944b3',1);
INSERT INTO transfers VALUES(1795896382554340,X'00000000000000000000000000000009',5,4,383600,X'00000000000000000000000000000004',NULL,0,8400,3,4,'usage',37,1795896382554340,X'01a223c4137b7e199f7d5adb3599fb23',1);
INSERT INTO transfers VALUES(1795896382554341,X'0000000000000000000000000000000a',5,4,230160000,NULL,NULL,0,8400,3,2,'hold',38,1795896382554340,X'01a223c413bb7b1a9462471fbafb7709',1);
INSERT INTO transfers VALUES(1795896382574776,X'0000000000000000000000000000000b',5,3,14,X'00000000000000000000000000000005',NULL,0,8400,3,4,'usage',40,1795896382574776,X'01a223c413907649a59caa641e650128',1);
INSERT INTO transfers VALUES(1795896382588097,X'0000000000000000000000000000000c',5,4,383600,X'00000000000000000000000000000006',NULL,0,8400,3,4,'usage',41,1795896382588097,X'01a223c4139f7c1da8b87d385cf12344',1);
INSERT INTO transfers VALUES(1795896382602932,X'0000000000000000000000000000000d',5,3,14,X'00000000000000000000000000000007',NULL,0,8400,3,4,'usage',42,1795896382602932,X'01a223c413b276a08bb112da3d855440',1);
INSERT INTO transfers VALUES(1795896382762735,X'0000000000000000000000000000000e',5,4,383600,X'0000000000000000000000000000000a',NULL,0,8400,3,4,'usage',43,1795896382762735,X'01a223c413bb7b1a9462471fbafb7709',1);
INSERT INTO transfers VALUES(1795896382785813,X'0000000000000000000000000000000f',5,4,460320000,NULL,NULL,0,8400,3,2,'hold',45,1795896382785813,X'01a223c4154174c3afe23e7e47936ca2',1);
INSERT INTO transfers VALUES(1795896382993496,X'00000000000000000000000000000010',5,4,767200,X'0000000000000000000000000000000f',NULL,0,8400,3,4,'usage',49,1795896382993496,X'01a223c4154174c3afe23e7e47936ca2',1);
CREATE TABLE accounts (
  ix INTEGER NOT NULL PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  ledger BIGINT NOT NULL,
  currency TEXT NOT NULL,
  scale TEXT NOT NULL,
  code BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  name TEXT NOT NULL,
  user_data BLOB,
  timestamp BIGINT NOT NULL,
  debits_pending BIGINT NOT NULL,
  debits_posted BIGINT NOT NULL,
  credits_pending BIGINT NOT NULL,
  credits_posted BIGINT NOT NULL,
  CHECK (debits_pending >= 0 AND debits_posted >= 0 AND credits_pending >= 0 AND
         credits_posted >= 0),
  CHECK (flags & 2 = 0 OR debits_pending + debits_posted <= credits_posted),
  CHECK (flags & 4 = 0 OR credits_pending + credits_posted <= debits_posted)
);
INSERT INTO accounts VALUES(0,X'00000000000000000000000000000001',8401,'USD','minor',1000,0,'cash',NULL,1795896382162119,0,100000,0,0);
INSERT INTO accounts VALUES(1,X'00000000000000000000000000000002',8401,'USD','minor',9000,0,'crossing',NULL,1795896382162119,0,0,0,100000);
INSERT INTO accounts VALUES(2,X'00000000000000000000000000000003',8400,'USD','tick',9000,0,'crossing',NULL,1795896382162119,0,36000000000,0,0);
INSERT INTO accounts VALUES(3,X'00000000000000000000000000000004',8400,'USD','tick',4000,0,'revenue cpu',NULL,1795896382207002,0,0,0,42);
INSERT INTO accounts VALUES(4,X'00000000000000000000000000000005',8400,'USD','tick',4000,0,'revenue h100',NULL,1795896382207002,0,0,0,1918000);
INSERT INTO accounts VALUES(5,X'00000000000000000000000000000006',8400,'USD','tick',2300,2,'wallet demo',NULL,1795896382267154,0,1918042,0,36000000000);
CREATE TABLE burnt_transfers (
  id BLOB NOT NULL PRIMARY KEY,
  outcome TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE ledger_heads (
  day INTEGER NOT NULL PRIMARY KEY,
  transfers BIGINT NOT NULL,
  last_timestamp BIGINT NOT NULL,
  head BLOB NOT NULL
);
INSERT INTO ledger_heads VALUES(1795824000000000,16,1795896382993496,X'f8184e37a912ec36e495f0eb73737c488b6839c1588010e96c8e40b43d84e9d7');
CREATE TABLE webhook_deliveries (
  webhook BLOB NOT NULL,
  sequence BIGINT NOT NULL,
  event TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  status BIGINT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (webhook, sequence),
  CHECK (state IN ('waiting', 'delivered', 'given_up') AND (state = 'waiting') = (done_at = 0))
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "usage" (
  job BLOB NOT NULL,
  generation BIGINT NOT NULL,
  step BIGINT NOT NULL,
  project_ix BIGINT NOT NULL,
  user_ix BIGINT NOT NULL,
  sku_ix BIGINT NOT NULL,
  job_class TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  billed_s BIGINT NOT NULL,
  waived_s BIGINT NOT NULL,
  price_version BIGINT NOT NULL,
  gpu_price BIGINT NOT NULL,
  gpus BIGINT NOT NULL,
  vcpu_price BIGINT NOT NULL,
  cpu_milli BIGINT NOT NULL,
  gib_price BIGINT NOT NULL,
  memory_mib BIGINT NOT NULL,
  gpu_amount BIGINT NOT NULL,
  vcpu_amount BIGINT NOT NULL,
  memory_amount BIGINT NOT NULL,
  gpu_milli BIGINT NOT NULL,
  org_ix BIGINT NOT NULL,
  site_ix BIGINT NOT NULL,
  reservation BLOB,
  started_sequence BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  gpu_flat BIGINT NOT NULL,
  vcpu_flat BIGINT NOT NULL,
  gib_flat BIGINT NOT NULL,
  host_version BIGINT NOT NULL,
  term_months BIGINT NOT NULL,
  PRIMARY KEY (job, generation, step),
  CHECK (billed_s >= 0 AND waived_s >= 0 AND ended_at >= started_at)
) WITHOUT ROWID;
INSERT INTO usage VALUES(X'01a223c413777dd4b6bf67241b0944b3',1,0,0,0,0,'on_demand',1795896382330967,1795896382530967,1,0,1,0,0,100,100,50,64,0,10,4,1000,0,0,NULL,24,36,0,0,0,0,0);
INSERT INTO usage VALUES(X'01a223c4137b7e199f7d5adb3599fb23',1,0,0,0,1,'on_demand',1795896382350977,1795896382550977,1,0,1,47800,8,100,8000,50,8192,382400,800,400,1000,0,0,NULL,25,37,0,0,0,0,0);
INSERT INTO usage VALUES(X'01a223c413907649a59caa641e650128',1,0,0,0,0,'on_demand',1795896382366993,1795896382566993,1,0,1,0,0,100,100,50,64,0,10,4,1000,0,0,NULL,28,40,0,0,0,0,0);
INSERT INTO usage VALUES(X'01a223c4139f7c1da8b87d385cf12344',1,0,0,0,1,'on_demand',1795896382385163,1795896382585163,1,0,1,47800,8,100,8000,50,8192,382400,800,400,1000,0,0,NULL,33,41,0,0,0,0,0);
INSERT INTO usage VALUES(X'01a223c413b276a08bb112da3d855440',1,0,0,0,0,'on_demand',1795896382394990,1795896382594990,1,0,1,0,0,100,100,50,64,0,10,4,1000,0,0,NULL,35,42,0,0,0,0,0);
INSERT INTO usage VALUES(X'01a223c413bb7b1a9462471fbafb7709',1,0,0,0,1,'on_demand',1795896382562672,1795896382762672,1,0,1,47800,8,100,8000,50,8192,382400,800,400,1000,0,0,NULL,39,43,0,0,0,0,0);
INSERT INTO usage VALUES(X'01a223c4154174c3afe23e7e47936ca2',1,0,0,0,1,'on_demand',1795896382792451,1795896382992451,1,0,1,47800,16,100,16000,50,16384,764800,1600,800,1000,0,0,NULL,46,49,0,0,0,0,0);
CREATE INDEX jobs_of_project ON jobs (project_ix, id, name);
CREATE VIEW facts AS
  SELECT j.first_sequence + e.key AS sequence,
         json_extract(e.value, '$.kind') AS kind,
         json_extract(e.value, '$.at') AS at,
         json_extract(e.value, '$.actor') AS actor,
         json_extract(e.value, '$.body') AS body
    FROM journal j, json_each(j.facts) e;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
  BEGIN SELECT RAISE(ABORT, 'journal rows are never changed'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
  BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;
CREATE INDEX meter_events_of_project ON meter_events (project_ix, period_from);
CREATE UNIQUE INDEX meter_events_corrected ON meter_events (corrects_source_ix, corrects_id)
  WHERE corrects_id IS NOT NULL;
CREATE TRIGGER meter_events_no_update BEFORE UPDATE ON meter_events
  BEGIN SELECT RAISE(ABORT, 'metered events are never changed: corrections are new ones'); END;
CREATE TRIGGER meter_events_no_delete BEFORE DELETE ON meter_events
  BEGIN SELECT RAISE(ABORT, 'metered events are never deleted: corrections are new ones'); END;
CREATE TRIGGER meter_sources_no_update BEFORE UPDATE ON meter_sources
  BEGIN SELECT RAISE(ABORT, 'sources of metered events are never changed'); END;
CREATE TRIGGER meter_sources_no_delete BEFORE DELETE ON meter_sources
  BEGIN SELECT RAISE(ABORT, 'sources of metered events are never deleted'); END;
CREATE TRIGGER meter_commits_no_update BEFORE UPDATE ON meter_commits
  BEGIN SELECT RAISE(ABORT, 'commits of metered events are never changed'); END;
CREATE TRIGGER meter_commits_no_delete BEFORE DELETE ON meter_commits
  BEGIN SELECT RAISE(ABORT, 'commits of metered events are never deleted'); END;
CREATE INDEX invoices_of_org ON invoices (org_ix, period_from);
CREATE TRIGGER invoices_no_update BEFORE UPDATE ON invoices
  BEGIN SELECT RAISE(ABORT, 'invoices are never changed: a credit note takes one back'); END;
CREATE TRIGGER invoices_no_delete BEFORE DELETE ON invoices
  BEGIN SELECT RAISE(ABORT, 'invoices are never deleted: a credit note takes one back'); END;
CREATE TRIGGER invoice_lines_no_update BEFORE UPDATE ON invoice_lines
  BEGIN SELECT RAISE(ABORT, 'invoices are never changed: a credit note takes one back'); END;
CREATE TRIGGER invoice_lines_no_delete BEFORE DELETE ON invoice_lines
  BEGIN SELECT RAISE(ABORT, 'invoices are never deleted: a credit note takes one back'); END;
CREATE TRIGGER payments_no_update BEFORE UPDATE ON payments
  BEGIN SELECT RAISE(ABORT, 'payments are never changed'); END;
CREATE TRIGGER payments_no_delete BEFORE DELETE ON payments
  BEGIN SELECT RAISE(ABORT, 'payments are never deleted'); END;
CREATE UNIQUE INDEX transfers_by_id ON transfers (id);
CREATE INDEX transfers_of_job ON transfers (job) WHERE job IS NOT NULL;
CREATE UNIQUE INDEX transfers_resolved ON transfers (pending_id) WHERE pending_id IS NOT NULL;
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
  BEGIN SELECT RAISE(ABORT, 'transfers are never changed: corrections are new ones'); END;
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers
  BEGIN SELECT RAISE(ABORT, 'transfers are never deleted: corrections are new ones'); END;
CREATE TRIGGER accounts_no_update BEFORE UPDATE ON accounts
  WHEN OLD.id <> NEW.id OR OLD.ledger <> NEW.ledger OR OLD.code <> NEW.code OR
       (OLD.flags | 32) <> (NEW.flags | 32) OR OLD.timestamp <> NEW.timestamp OR
       OLD.user_data IS NOT NEW.user_data
  BEGIN SELECT RAISE(ABORT, 'accounts are never changed'); END;
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts
  BEGIN SELECT RAISE(ABORT, 'accounts are never deleted'); END;
CREATE TRIGGER burnt_transfers_no_update BEFORE UPDATE ON burnt_transfers
  BEGIN SELECT RAISE(ABORT, 'burnt ids are never changed'); END;
CREATE TRIGGER burnt_transfers_no_delete BEFORE DELETE ON burnt_transfers
  BEGIN SELECT RAISE(ABORT, 'burnt ids are never freed'); END;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook, sequence)
  WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at, webhook, sequence);
CREATE INDEX usage_by_end ON usage (ended_at, project_ix);
CREATE INDEX usage_of_org ON usage (org_ix, started_at, job, generation, step);
CREATE TRIGGER usage_no_update BEFORE UPDATE ON usage
  BEGIN SELECT RAISE(ABORT, 'usage rows are never changed'); END;
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage
  BEGIN SELECT RAISE(ABORT, 'usage rows are never deleted'); END;
COMMIT;
