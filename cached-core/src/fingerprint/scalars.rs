//! The values that a type gets where it asks for a scalar.

/// Gives the macro `$answer` the methods of a deserializer, each with its `visit` method and the value to pass to it.
macro_rules! scalars {
    ($answer:ident) => {
        $answer! {
            deserialize_bool visit_bool false;
            deserialize_i8 visit_i8 1;
            deserialize_i16 visit_i16 1;
            deserialize_i32 visit_i32 1;
            deserialize_i64 visit_i64 1;
            deserialize_i128 visit_i128 1;
            deserialize_u8 visit_u8 1;
            deserialize_u16 visit_u16 1;
            deserialize_u32 visit_u32 1;
            deserialize_u64 visit_u64 1;
            deserialize_u128 visit_u128 1;
            deserialize_f32 visit_f32 1.0;
            deserialize_f64 visit_f64 1.0;
            deserialize_char visit_char 'a';
            deserialize_bytes visit_bytes b"a";
            deserialize_byte_buf visit_bytes b"a";
            deserialize_unit visit_unit;
            deserialize_ignored_any visit_unit;
        }
    };
}
pub(super) use scalars;
