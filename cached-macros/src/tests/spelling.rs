use crate::spelling::spell;

#[test]
fn types_are_spelled_as_people_write_them() {
    let types = [
        "Result<Option<User>, DbError>",
        "Vec<[u8; 4]>",
        "&'static mut [u8]",
        "(u8, String)",
        "Box<dyn Fn(A, &B) -> C + Send + 'static>",
        "<T as Trait<Item = u8>>::Output",
        "::core::option::Option<Self>",
        "for<'a> fn(&'a str) -> bool",
        "[u8; {N + 1}]",
        "Result<(), E>",
        "*const T",
    ];
    for ty in types {
        // Parsing loses the blanks, so `spell` must put them back.
        let tokens = ty.parse().unwrap();
        assert_eq!(spell(tokens), ty);
    }
}
