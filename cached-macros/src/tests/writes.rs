use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{messages, side_by_side};
use crate::attribute::attribute;
use crate::role::Role;

fn expand(role: Role, args: &TokenStream, item: &TokenStream) -> String {
    let expansion = attribute(role, args.clone(), item.clone());
    let name = format_ident!("{}", role.name());
    side_by_side(&quote!(#[#name(#args)] #item), &expansion)
}

#[test]
fn bracket() {
    snapshot!(expand(
        Role::Invalidate,
        &quote!(UserUpdated { id: user.id }),
        &quote! {
            pub async fn update_user(&self, user: &User) -> Result<(), DbError> {
                self.db.execute(user).await?;
                Ok(())
            }
        }
    ));
}

#[test]
fn bracket_with_all_options() {
    snapshot!(expand(
        Role::Invalidate,
        &quote! {
            UserUpdated { id, tenant: self.tenant() }, events::CatalogueReloaded, key = "user:<id>:<q:hash>",
            key = "users", tag = "tenant:<self.tenant>", mode = "bracket", on_unavailable = "fail", cache = self.cache,
            crate = ::renamed
        },
        &quote! {
            async fn update_user(&self, id: u64, q: &str) -> Result<u64, DbError> {
                Ok(id)
            }
        }
    ));
}

#[test]
fn without_return_type() {
    snapshot!(expand(
        Role::Invalidate,
        &quote!(CatalogueReloaded, mode = "after"),
        &quote!(
            async fn reload() {
                fetch().await;
            }
        )
    ));
}

#[test]
fn after_with_ret() {
    snapshot!(expand(
        Role::Invalidate,
        &quote! {
            OrderPlaced { user: cart.user, order: ret.id, lang }, UserUpdated { id: cart.user },
            key = "order:<T>:<cart.user>:<ret.id>", tag = "tenant:<tenant:hash>", mode = "after"
        },
        &quote! {
            async fn place<T: Row>(cart: Cart, tenant: String, lang: u8) -> Result<Order, DbError> {
                insert(cart, tenant).await
            }
        }
    ));
}

#[test]
fn each() {
    snapshot!(expand(
        Role::Invalidate,
        &quote! {
            for user in users { UserUpdated { tenant, id: user.id }, key = "user:<user.id>", tag = "<tenant>:<user.name>" },
            for id in ids.iter() { UserUpdated { tenant, id } },
            key = "users"
        },
        &quote! {
            async fn save_all(tenant: u64, users: &[User], ids: Vec<u64>) -> Result<(), DbError> {
                insert(users).await
            }
        }
    ));
}

#[test]
fn each_of_ret() {
    snapshot!(expand(
        Role::Invalidate,
        &quote! {
            for order in ret.orders { OrderPlaced { user, order: order.id }, key = "<user>:<order.id>:<ret.page>" },
            mode = "after"
        },
        &quote! {
            async fn place_all(user: u64) -> Result<Placed, DbError> {
                insert(user).await
            }
        }
    ));
}

/// `impl Trait` has no name, so it is inferred.
#[test]
fn impl_trait_is_returned() {
    snapshot!(expand(
        Role::Invalidate,
        &quote!(key = "a"),
        &quote!(
            async fn handler() -> Result<(u8, impl IntoResponse), impl Error> {
                Ok((1, "done"))
            }
        )
    ));
}

#[test]
fn async_trait() {
    snapshot!(expand(
        Role::Invalidate,
        &quote!(UserUpdated { id: self.tenant + a }),
        &quote! {
            fn update<'life0, 'async_trait>(
                &'life0 self,
                __arg1: (u64, u64),
            ) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = ()> + ::core::marker::Send + 'async_trait>>
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move {
                    let __self = self;
                    let (a, b) = { let __arg1 = __arg1; __arg1 };
                    let () = { __self.write(a, b).await; };
                })
            }
        }
    ));
}

#[test]
fn put() {
    snapshot!(expand(
        Role::Put,
        &quote!(key = "user:<id>", UserUpdated { id }),
        &quote! {
            async fn rename(id: u64, name: String) -> Result<User, DbError> {
                update(id, name).await
            }
        }
    ));
}

#[test]
fn put_with_all_options() {
    snapshot!(expand(
        Role::Put,
        &quote! {
            UserUpdated { id }, key = "user:<id>", ttl = config.ttl, cache_if = |u: &User| u.active, version = 2,
            tags = ["tenant:<tenant>", |u: &User| [u.tag()]], invalidate_on = [TenantGone { id: tenant }, Reloaded { .. }],
            on_unavailable = "fail", cache = cache
        },
        &quote! {
            async fn rename(id: u64, tenant: u64, config: Config, cache: &Cache) -> Result<User, Error> {
                update(id, config).await
            }
        }
    ));
}

#[test]
fn listening_by_some_fields() {
    snapshot!(expand(
        Role::Read,
        &quote!(
            key = "users:<tenant>:<country>",
            invalidate_on = events::UserUpdated { tenant, country: country.to_owned(), .. }
        ),
        &quote! {
            async fn users(tenant: u64, country: &str) -> Vec<User> {
                select(tenant, country).await
            }
        }
    ));
}

#[test]
fn listening() {
    snapshot!(expand(
        Role::Read,
        &quote! {
            key = "user:<id>", skip(lang, db),
            invalidate_on = [UserUpdated { id }, Renamed { name: format!("{lang}"), id: id + 1 }, Reloaded, Moved { .. }],
            tags = ["lang:<lang>", "users", by_value]
        },
        &quote! {
            async fn find(db: &Db, id: u64, lang: &str) -> Result<User, DbError> {
                db.find(id, lang).await
            }
        }
    ));
}

/// If an argument is called `ret`, `ret` means the argument.
#[test]
fn an_argument_called_ret_is_meant() {
    let expansion = attribute(
        Role::Invalidate,
        quote!(UserUpdated { id: ret.id }, key = "<ret.id>", mode = "after"),
        quote!(
            async fn f(ret: User) -> u64 {
                1
            }
        ),
    );
    assert!(!expansion.to_string().contains(":: ret ("), "{expansion}");
}

fn faults(role: Role, args: &TokenStream) -> String {
    let item = quote!(
        async fn write(id: u64, user: &User) -> Result<User, Error> {
            todo!()
        }
    );
    let expansion = attribute(role, args.clone(), item.clone());
    assert!(expansion.to_string().starts_with(&item.to_string()), "{expansion}");
    let name = role.name();
    format!("#[{name}({args})]\n    {}", messages(expansion).join("\n    "))
}

#[test]
fn one_fault_makes_one_message() {
    let cases = [
        // An option that cannot be read may be the missing one.
        faults(Role::Invalidate, &quote!(UserUpdated { id, .. })),
        faults(Role::Invalidate, &quote!(UserUpdated(id))),
        faults(Role::Invalidate, &quote!(kye = "user:<id>")),
        faults(Role::Invalidate, &quote!(key = 5)),
        faults(Role::Put, &quote!(kye = "user:<id>")),
        faults(Role::Put, &quote!("user:<id>")),
        faults(Role::Put, &quote!(key = "user:<id")),
        // A misspelt `mode` leaves open whether `ret` may be used and whether the write may fail.
        faults(Role::Invalidate, &quote!(key = "<ret.id>", mode = "aftr")),
        faults(Role::Invalidate, &quote!(key = "<ret.id>", mod = "after")),
        faults(Role::Invalidate, &quote!(key = "<id>", mode = "after", on_unavailable = "fial")),
    ];
    snapshot!(cases.join("\n"));
}

/// While the user types the attribute.
#[test]
fn unfinished() {
    let cases = [
        faults(Role::Invalidate, &quote!(UserUpdated { id: })),
        faults(Role::Invalidate, &quote!(UserUpdated { user. })),
        faults(Role::Invalidate, &quote!(events::)),
        faults(Role::Invalidate, &quote!(u)),
        faults(Role::Invalidate, &quote!(UserUpdated { id }, key)),
        faults(Role::Invalidate, &quote!(UserUpdated { id }, m)),
        faults(Role::Put, &quote!(key = "user:<id>", invalidate_on = )),
        faults(Role::Put, &quote!(key = "user:<id>", invalidate_on = [UserUpdated { id }, ::])),
        faults(Role::Put, &quote!(key = "user:<id>", tags = ["a", |user: &User|])),
        faults(Role::Put, &quote!(key = "user:<id>", Moved<u64> { id })),
    ];
    snapshot!(cases.join("\n"));
}
