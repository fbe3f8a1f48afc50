//! A schema of a hundred parameters, of the kinds that databases have.

use serde_json::{Map, Value, json};

/// The schema: ten kinds of parameter, ten of each, and two rules across them.
pub fn schema() -> String {
    let mut fields = String::new();
    for n in 0..10 {
        fields.push_str(&format!(
            r#"
	// How many connections there are at most, of kind {n}.
	max_connections_{n}: int & >=1 & <=262143 | *100 @effect(restart)
	// Memory for one sort.
	work_memory_{n}: #Size | *"4MB" @effect(reload)
	fsync_{n}: bool | *true
	level_{n}: *"replica" | "minimal" | "logical" @effect(restart)
	cost_{n}: number & >=0 & <=10 | *1.5 @effect(dynamic)
	name_{n}: strings.MaxRunes(63) | *"name{n}"
	timeout_{n}: int & >=0 & <=2147483647 | *0 @effect(dynamic)
	minimum_{n}: int & >=80 | *80
	maximum_{n}: int & >=minimum_{n} | *1024
	socket_{n}?: =~"^/[a-z/]+$"
"#
        ));
    }
    format!(
        r#"package hundred

import "strings"

#Size: =~"^[0-9]+(kB|MB|GB)$"

parameters: {{{fields}}}

if parameters.fsync_0 == false && parameters.level_0 == "logical" {{
	rules: fsync: error("level_0 `logical` needs fsync_0")
}}
rules: connections: true & (parameters.max_connections_0 > parameters.max_connections_1 - 100000)
"#
    )
}

/// Sixty good values.
pub fn good() -> Map<String, Value> {
    values(|n| {
        json!({
            (format!("max_connections_{n}")): 200, (format!("work_memory_{n}")): "64MB",
            (format!("fsync_{n}")): true, (format!("level_{n}")): "logical",
            (format!("cost_{n}")): 2.5, (format!("socket_{n}")): "/var/run",
        })
    })
}

/// Four bad ones among them.
#[allow(dead_code, reason = "the benchmarks use a part of this")]
pub fn bad() -> Map<String, Value> {
    let mut values = good();
    values.insert("max_connections_3".to_owned(), json!(0));
    values.insert("level_4".to_owned(), json!("most"));
    values.insert("work_memory_5".to_owned(), json!("64 MB"));
    values.insert("max_conections_6".to_owned(), json!(1));
    values
}

fn values(of: impl Fn(usize) -> Value) -> Map<String, Value> {
    let maps = (0..10).map(of).filter_map(|value| match value {
        Value::Object(map) => Some(map),
        _ => None,
    });
    maps.flatten().collect()
}
