namespace KcdDelegation.Testing;

/// <summary>Changes that an administrator makes to a <see cref="TestRealm"/> while it runs. They apply from the next request on.</summary>
public static class TestRealmChanges
{
    /// <summary>Adds a target to an account's delegation list.</summary>
    /// <param name="realm">The realm.</param>
    /// <param name="account">Account or service principal name.</param>
    /// <param name="servicePrincipalName">The target.</param>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public static TestRealm AllowDelegation(this TestRealm realm, string account, string servicePrincipalName)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).MayDelegateTo[servicePrincipalName] = true;
        return realm;
    }

    /// <summary>Removes a target from an account's delegation list.</summary>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public static TestRealm DenyDelegation(this TestRealm realm, string account, string servicePrincipalName)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).MayDelegateTo.TryRemove(servicePrincipalName, out _);
        return realm;
    }

    /// <summary>Adds an account to a service's resource-based list.</summary>
    /// <param name="realm">The realm.</param>
    /// <param name="account">The account that may delegate: name, or name@REALM of another realm.</param>
    /// <param name="service">Account or service principal name of the target.</param>
    /// <exception cref="ArgumentException">The realm has no such service.</exception>
    public static TestRealm AllowResourceBasedDelegation(this TestRealm realm, string account, string service)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(service).AllowsActingAs[account] = true;
        return realm;
    }

    /// <summary>Disables an account. Its requests and those in its name are refused with KDC_ERR_CLIENT_REVOKED.</summary>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public static TestRealm Disable(this TestRealm realm, string account)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).Disabled = true;
        return realm;
    }

    /// <summary>Enables a disabled account.</summary>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public static TestRealm Enable(this TestRealm realm, string account)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).Disabled = false;
        return realm;
    }

    /// <summary>Lets an account's password expire. Its next log-on is refused with KDC_ERR_KEY_EXPIRED.</summary>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public static TestRealm ExpirePassword(this TestRealm realm, string account)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Get(account).PasswordExpired = true;
        return realm;
    }

    /// <summary>Deletes an account. An account that is added again under the same name gets a new security identifier.</summary>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public static TestRealm Remove(this TestRealm realm, string account)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.Accounts.Remove(account);
        return realm;
    }

    /// <summary>Gives an account new keys with the next version number. Log-on with the old keys fails.</summary>
    /// <param name="realm">The realm.</param>
    /// <param name="account">Account or service principal name.</param>
    /// <param name="password">Null: a random one.</param>
    /// <param name="keepOldKeys">Whether tickets encrypted with the old keys still open.</param>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public static TestRealm RollKeys(this TestRealm realm, string account, string? password = null, bool keepOldKeys = true)
    {
        ArgumentNullException.ThrowIfNull(realm);
        var keys = realm.State.Accounts.Get(account).Keys;
        keys.Replace(password ?? (keys.Current.Password is null ? null : TestRealm.CreateRandomPassword()), keepOldKeys);
        return realm;
    }

    /// <summary>Gives krbtgt new keys with the next version number.</summary>
    /// <remarks>Without the old keys, requests with a TGT issued before are refused: by Windows with KRB_AP_ERR_BADKEYVER, by MIT with
    /// KRB_ERR_GENERIC and the text PROCESS_TGS, by Heimdal and Samba with KRB_AP_ERR_BAD_INTEGRITY (<see cref="KdcKind"/>).</remarks>
    /// <param name="realm">The realm.</param>
    /// <param name="keepOldKeys">Whether TGTs issued before are still accepted.</param>
    public static TestRealm RollTicketGrantingKeys(this TestRealm realm, bool keepOldKeys = true)
    {
        ArgumentNullException.ThrowIfNull(realm);
        realm.State.TicketGranting.Replace(password: null, keepOldKeys);
        return realm;
    }
}
