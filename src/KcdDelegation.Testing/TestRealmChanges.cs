namespace KcdDelegation.Testing;

/// <summary>What an administrator does to a <see cref="TestRealm"/> while it runs. The KDC goes by it from the next request on.</summary>
public static class TestRealmChanges
{
    /// <summary>Adds to an account's delegation list.</summary>
    /// <param name="realm">The realm.</param>
    /// <param name="account">Account or service principal name.</param>
    /// <param name="servicePrincipalName">The target.</param>
    /// <exception cref="ArgumentException">No such account.</exception>
    public static TestRealm AllowDelegation(this TestRealm realm, string account, string servicePrincipalName)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).MayDelegateTo[servicePrincipalName] = true;
        return realm;
    }

    /// <summary>Takes from an account's delegation list.</summary>
    /// <exception cref="ArgumentException">No such account.</exception>
    public static TestRealm DenyDelegation(this TestRealm realm, string account, string servicePrincipalName)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).MayDelegateTo.TryRemove(servicePrincipalName, out _);
        return realm;
    }

    /// <summary>Adds to a service's resource-based list.</summary>
    /// <param name="realm">The realm.</param>
    /// <param name="account">Who may delegate: name, or name@REALM of another realm.</param>
    /// <param name="service">Account or service principal name of the target.</param>
    /// <exception cref="ArgumentException">No such service.</exception>
    public static TestRealm AllowResourceBasedDelegation(this TestRealm realm, string account, string service)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(service).AllowsActingAs[account] = true;
        return realm;
    }

    /// <summary>Disables an account: KDC_ERR_CLIENT_REVOKED from now on.</summary>
    /// <exception cref="ArgumentException">No such account.</exception>
    public static TestRealm Disable(this TestRealm realm, string account)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).Disabled = true;
        return realm;
    }

    /// <summary>Lets an account's password expire: KDC_ERR_KEY_EXPIRED at its next log-on.</summary>
    /// <exception cref="ArgumentException">No such account.</exception>
    public static TestRealm ExpirePassword(this TestRealm realm, string account)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).PasswordExpired = true;
        return realm;
    }

    /// <summary>Deletes an account.</summary>
    /// <exception cref="ArgumentException">No such account.</exception>
    public static TestRealm Remove(this TestRealm realm, string account)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Remove(account);
        return realm;
    }

    /// <summary>Gives an account new keys under the next version number. Tickets under the old ones still open; log-on with them fails.</summary>
    /// <param name="realm">The realm.</param>
    /// <param name="account">Account or service principal name.</param>
    /// <param name="password">Null: a random one.</param>
    /// <exception cref="ArgumentException">No such account.</exception>
    public static TestRealm RollKeys(this TestRealm realm, string account, string? password = null)
    {
        ArgumentNullException.ThrowIfNull(realm);
        var keys = realm.State.Accounts.Get(account).Keys;
        keys.Replace(password ?? (keys.Current.Password is null ? null : TestRealm.RandomPassword()));
        return realm;
    }
}
