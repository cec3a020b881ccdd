use super::*;

fn resolved(options: &Options<'_>) -> Vec<String> {
    let entries = options.environment.resolve().unwrap();
    entries.iter().map(|entry| entry.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_cleared_environment_has_what_is_set_later() {
    assert_eq!(resolved(&Options::new().env("GONE", "1").env_clear().env("A", "1")), ["A=1"]);
}

#[test]
fn a_replaced_environment_is_exactly_the_list() {
    let options = Options::new().env("GONE", "1").env_replace(["B=2", "A=1", "B=3", "odd"]);
    assert_eq!(resolved(&options), ["B=2", "A=1", "B=3", "odd"]);
}

#[test]
fn changes_keep_the_place_of_the_variable_and_leave_one_of_it() {
    let base = || Options::new().env_replace(["A=1", "B=2", "AB=3", "A=4"]);
    assert_eq!(resolved(&base().env("A", "x")), ["A=x", "B=2", "AB=3"]);
    assert_eq!(resolved(&base().env("C", "")), ["A=1", "B=2", "AB=3", "A=4", "C="]);
    assert_eq!(resolved(&base().env_remove("A")), ["B=2", "AB=3"]);
    assert_eq!(resolved(&base().env_remove("A").env("A", "9")), ["B=2", "AB=3", "A=9"]);
}

#[cfg(feature = "cli")]
#[test]
fn what_is_taken_out_leaves_all_others_to_the_byte_and_in_order() {
    let entries = [c"A=1", c"GONE=1", c"A=2", c"no-equals-sign", c"GONE=2", c"GONER=", c"", c"B=\xff", c"GONE"];
    let left = Environment::entries(&entries).without(&["GONE", "NONE"]).resolve().unwrap();
    let expected = [c"A=1", c"A=2", c"no-equals-sign", c"GONER=", c"", c"B=\xff", c"GONE"];
    assert_eq!(left, expected.map(Cow::Borrowed));
}

#[test]
fn a_nul_byte_in_a_variable_is_told() {
    let error = Options::new().env("A", "x\0y").environment.resolve().unwrap_err();
    assert!(matches!(&error, Error::Nul { word } if word == "A=x\0y"), "{error}");
}
