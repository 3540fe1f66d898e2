/*
 * A KDB module for MIT krb5kdc 1.20 and 1.21: the distribution's LDAP module (kldap.so) with resource-based constrained delegation.
 *
 * The function table of kldap has no allowed_to_delegate_from, so krb5kdc refuses every such request. This module copies the table and
 * adds that entry. The string attribute "rbcd" of a target service lists the accounts that may delegate to it:
 *     kadmin.local -q 'setstr HTTP/rbcd.mit.test rbcd "PRINCIPAL1 PRINCIPAL2"'
 *
 * gcc -shared -fPIC -DKLDAP='"/path/to/kldap.so"' -o rbcdldap.so rbcdkdb.c -ldl -lkdb5 -lkrb5
 */
#include <krb5.h>
#include <kdb.h>
#include <dlfcn.h>
#include <string.h>
#include <syslog.h>

/* Returns 0 if the attribute of `proxy`, the target service, names `server`, the account that delegates. */
static krb5_error_code
allowed_to_delegate_from(krb5_context context, krb5_const_principal client, krb5_const_principal server,
                         krb5_pac server_pac, const krb5_db_entry *proxy)
{
    char *allowed = NULL, *name = NULL, *rest = NULL, *word;
    krb5_error_code ret = KRB5KDC_ERR_BADOPTION;

    if (krb5_dbe_get_string(context, (krb5_db_entry *)proxy, "rbcd", &allowed) == 0 && allowed != NULL &&
        krb5_unparse_name(context, server, &name) == 0) {
        for (word = strtok_r(allowed, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
            if (strcmp(word, name) == 0)
                ret = 0;
        }
    }
    if (name != NULL)
        krb5_free_unparsed_name(context, name);
    if (allowed != NULL)
        krb5_dbe_free_string(context, allowed);
    return ret;
}

/* krb5kdc loads this symbol. */
kdb_vftabl kdb_function_table;

__attribute__((constructor)) static void
wrap_kldap(void)
{
    void *module = dlopen(KLDAP, RTLD_NOW | RTLD_GLOBAL);
    kdb_vftabl *table = module == NULL ? NULL : dlsym(module, "kdb_function_table");

    if (table == NULL) {
        syslog(LOG_ERR, "rbcdldap: %s", dlerror());
        return;
    }
    kdb_function_table = *table;
    kdb_function_table.allowed_to_delegate_from = allowed_to_delegate_from;
}
