use super::*;
use package::evaluate::Effect;
use serde_json::json;

fn parameter(name: &str, value: Value, from: Origin) -> Parameter {
    Parameter {
        name: name.to_owned(),
        value: Some(value),
        from: Some(from),
        declared: evaluate::Parameter {
            effect: Effect::Reload,
            allowed:
                "int & >=0 & <=2147483647, or one of the words that the manual of the server lists"
                    .to_owned(),
            default: Some(json!(0)),
            description: "How many there may be.\nOr more.".to_owned(),
        },
    }
}

fn component() -> ComponentName {
    "redis".parse().unwrap()
}

#[test]
fn a_table_fits_a_terminal() {
    let parameters = [
        parameter("a", json!(1), Origin::App),
        parameter("much-longer-than-the-other", json!("60"), Origin::Default),
        Parameter {
            value: None,
            from: None,
            declared: evaluate::Parameter::default(),
            ..parameter("none", json!(1), Origin::App)
        },
    ];
    let table = table(&component(), &parameters, Paint::none());
    insta::assert_snapshot!(table);
    assert_eq!(set(&parameters), "1 of them set");
}

#[test]
fn a_parameter_may_come_change_and_go() {
    let before = [
        parameter("changed", json!(1), Origin::App),
        parameter("gone", json!("x"), Origin::Default),
        parameter("same", json!(true), Origin::Default),
    ];
    let after = [
        parameter("changed", json!("1"), Origin::App),
        parameter("new", json!("x y"), Origin::Profile),
        parameter("same", json!(true), Origin::App),
    ];
    let changes = changes(&component(), &before, &after);
    let told: String = changes.iter().map(Change::text).collect();
    assert_eq!(
        told,
        "redis.changed 1 becomes \"1\" (reload)\nredis.gone is gone; it was x\nredis.new is new: \
         x y (reload)\n"
    );
}

#[test]
fn who_set_a_value_is_told() {
    let component = |parameters: Value| {
        let value = json!({ "config": { "parameters": parameters } });
        serde_json::from_value::<AppComponent>(value).unwrap()
    };
    let said = Parameters {
        values: json!({"a": 1, "b": 2, "c": 3}).as_object().unwrap().clone(),
        declared: ["a", "b", "c", "d"]
            .map(|n| (n.to_owned(), Default::default()))
            .into(),
    };
    let list = list(
        &said,
        &component(json!({"a": 1})),
        &component(json!({"a": 1, "b": 2})),
    );
    let from: Vec<Option<Origin>> = list.iter().map(|p| p.from).collect();
    let known = [Origin::App, Origin::Profile, Origin::Default].map(Some);
    assert_eq!(from, [known.to_vec(), vec![None]].concat());
}
