use super::*;
use serde_json::{Map, Value};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what it is asked.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Evaluate for Counting {
    fn render(&self, _: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        Ok(String::new())
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Answer {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Parameters {
            values: request.values.clone(),
            ..Parameters::default()
        })
    }
}

#[test]
fn the_same_is_asked_once_and_what_differs_anew() {
    let counting = Counting::default();
    let memo = Memo::new(&counting);
    let (one, two) = (
        BTreeMap::from([("a", "x")]),
        BTreeMap::from([("a", "x"), ("b", "y")]),
    );
    let ask = |files: &BTreeMap<&str, &str>, minor: u64, value: i32| {
        let values: Map<String, Value> = Map::from_iter([("p".to_owned(), value.into())]);
        let runtime = Version::new(1, minor, 0);
        let request = SchemaRequest {
            files,
            runtime: &runtime,
            values: &values,
            describe: false,
        };
        assert_eq!(memo.validate(&request).unwrap().values, values);
        counting.0.load(Ordering::Relaxed)
    };
    assert_eq!((ask(&one, 0, 1), ask(&one, 0, 1)), (1, 1));
    assert_eq!(
        (ask(&two, 0, 1), ask(&one, 1, 1), ask(&one, 0, 2)),
        (2, 3, 4)
    );
    assert_eq!(
        (ask(&two, 0, 1), ask(&one, 1, 1), ask(&one, 0, 2)),
        (4, 4, 4)
    );
}
