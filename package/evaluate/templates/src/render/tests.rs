use super::*;
use serde_json::json;

/// `template`, called `main.conf`, rendered with `context`; `part.conf` can be included.
fn render(template: &str, context: &serde_json::Value) -> Result<String, String> {
    let templates = [("main.conf", template), ("part.conf", "port {{ port }}\n")];
    let request = Request {
        templates: templates.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        template: "main.conf".to_owned(),
        context: context.clone(),
        most: 1 << 20,
    };
    match super::render(&request) {
        Answer::Text(text) => Ok(text),
        Answer::Refused(fault) => {
            let numbers = [fault.line, fault.column].into_iter().flatten();
            let place: String = numbers.map(|number| format!(":{number}")).collect();
            Err(format!("{}{place}: {}", fault.file, fault.message))
        }
    }
}

#[test]
fn renders_with_the_filters_that_the_documentation_names() {
    let context = json!({"memory": "1.5Gi", "cpu": "250m", "text": "a\"b\\c", "port": 6379,
        "map": {"yes": "on", "list": [1, "1"], "empty": {}}});
    for (template, rendered) in [
        ("{{ memory | quantity }}", "1610612736"),
        ("{{ memory | mebibytes }}", "1536"),
        ("{{ memory | kibibytes }}", "1572864"),
        ("{{ memory | gibibytes }}", "1"),
        ("{{ memory | quantity | percent(of=75) }}", "1207959552"),
        ("{{ cpu | quantity }} {{ cpu | millis }}", "1 250"),
        (
            "{{ text | quote }} {{ port | quote }}",
            r#""a\"b\\c" "6379""#,
        ),
        (
            "{{ map | to_json }}",
            r#"{"empty":{},"list":[1,"1"],"yes":"on"}"#,
        ),
        (
            "m:\n  {{ map | to_yaml | indent(width=2) }}",
            "m:\n  empty: {}\n  list:\n  - 1\n  - \"1\"\n  \"yes\": \"on\"",
        ),
        ("{% include \"part.conf\" %}", "port 6379\n"),
        ("{% if nothing %}a{% else %}b{% endif %}", "b"),
        ("{{ nothing | default(value=1) }}", "1"),
        (
            "{% for k, v in map %}{{ k }} {% endfor %}",
            "empty list yes ",
        ),
    ] {
        assert_eq!(
            render(template, &context).as_deref(),
            Ok(rendered),
            "{template}"
        );
    }
}

#[test]
fn says_where_a_template_is_at_fault() {
    for (template, error) in [
        ("a\n  {{ nope }}", "templates/main.conf:2:6: "),
        ("{{ app.nmae }}", "templates/main.conf:1:"),
        ("x\n{% if %}", "templates/main.conf:2:"),
        ("{{ 1 | nofilter }}", "templates/main.conf:1:"),
        ("{% include \"nothing.conf\" %}", "templates/main.conf"),
        ("{{ \"1Gb\" | quantity }}", "templates/main.conf:1:"),
        (
            "{% for i in range(end=100000) %}0123456789012345{% endfor %}",
            "templates/main.conf: it renders to more than 1048576 bytes",
        ),
        ("{{ now() }}", "templates/main.conf:1:"),
        ("{{ get_env(name=\"HOME\") }}", "templates/main.conf:1:"),
    ] {
        let said = render(template, &json!({"app": {"name": "a"}})).unwrap_err();
        assert!(said.starts_with(error), "{template}: {said}");
    }
}

proptest::proptest! {
    #[test]
    fn never_panics_and_always_answers_the_same(template in "[{}%# a-z.|()\"\n]{0,40}") {
        let context = json!({"a": {"b": 1}, "c": [1, 2]});
        let first = render(&template, &context);
        proptest::prop_assert_eq!(first, render(&template, &context));
    }
}
