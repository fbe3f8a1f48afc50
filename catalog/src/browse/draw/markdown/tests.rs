use super::*;

const TEXT: &str = "\
# Redis *fast*
Text that is `code` and **bold**, with a [link](https://example.org/a) and the
[same](https://example.org/a).

## Use
1. first, which is so long that it goes on in the next line
2. second
   - below
   - [x] done

> A quote of two
> lines.

```sh
kubectl get mwa --all-of-them-in-one-very-long-line-of-code
\tindented
```

| Port | What for |
| --- | --- |
| 6379 | clients write and read here, through the Service of the role |
| 16379 | bus |

![logo](logo.png)

<b>html</b>

---
end\u{1b}[2J
";

fn shown(width: usize, unicode: bool) -> String {
    let look = Look {
        colours: false,
        unicode,
    };
    let lines = lines(TEXT, width, look);
    assert!(lines.iter().all(|line| line.width() <= width));
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn markdown_is_shown_in_columns() {
    insta::assert_snapshot!(shown(44, true));
}

#[test]
fn without_signs_beyond_ascii_too() {
    let shown = shown(30, false);
    assert!(shown.is_ascii() || shown.contains('\u{fffd}'), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn what_is_too_long_ends_at_a_character() {
    let text = "ä".repeat(MAX_BYTES);
    let lines = lines(&text, 80, Look::default());
    let last = lines.last().map(ToString::to_string);
    assert_eq!(
        last.as_deref(),
        Some("[the rest after 256 KiB is not shown]")
    );
}
