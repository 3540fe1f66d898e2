using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>A user or service with its realm (RFC 4120 §5.2.2 PrincipalName and Realm). Immutable and thread-safe.</summary>
/// <remarks>Principals are compared ordinally. The identity mapper decides about case; the caches do not.</remarks>
public sealed partial record KerberosPrincipal
{
    /// <summary>Creates a principal. The name is used unchanged: its case, spaces and characters stay as they are.</summary>
    /// <param name="type">The name type, which tells the KDC how to interpret the name.</param>
    /// <param name="name">At most 1,024 characters, without control, invisible or lookalike characters. An enterprise name is one
    /// component. In other names a slash separates components.</param>
    /// <param name="realm">The realm. May be null only for <see cref="PrincipalNameType.Enterprise"/>: the client then looks it
    /// up.</param>
    /// <exception cref="ArgumentException">The name is empty, too long, or has a character that is not allowed, or the realm is not a
    /// realm.</exception>
    public KerberosPrincipal(PrincipalNameType type, string name, string? realm)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (type is not (PrincipalNameType.Principal or PrincipalNameType.ServiceInstance or PrincipalNameType.Enterprise))
            throw new ArgumentOutOfRangeException(nameof(type), type, "The name type is not supported.");
        NameCharacters.ThrowIfRefused(name, "The name", nameof(name));
        if (realm is null && type != PrincipalNameType.Enterprise)
            throw new ArgumentException("Only an enterprise name can have no realm.", nameof(realm));
        if (realm is not null)
            RealmName.ThrowIfInvalid(realm, "The realm", nameof(realm));
        if (type != PrincipalNameType.Enterprise && NameCharacters.HasEmptyComponent(name))
            throw new ArgumentException("The name has an empty component.", nameof(name));
        (Type, Name, Realm) = (type, name, realm);
    }

    /// <summary>The name type, which tells the KDC how to interpret the name.</summary>
    public PrincipalNameType Type { get; }

    /// <summary>The name without its realm.</summary>
    public string Name { get; }

    /// <summary>The realm, or null if it is not yet known (only for <see cref="PrincipalNameType.Enterprise"/>).</summary>
    public string? Realm { get; }

    /// <summary>The required SID of the account (<c>S-1-5-21-…</c>) from a trusted source, such as the token's <c>onprem_sid</c>. Null if
    /// not known.</summary>
    /// <remarks>The client rejects a ticket whose PAC has another SID or none. The SID is part of the identity: a principal with a SID and
    /// the same principal without it share no ticket.</remarks>
    /// <exception cref="ArgumentException">The value is not a SID in text form.</exception>
    public string? SecurityIdentifier
    {
        get;
        init
        {
            if (value is not null && !IsSecurityIdentifier(value))
                throw new ArgumentException(
                    "The value is not a SID such as S-1-5-21-1004336348-1177238915-682003330-1103.", nameof(SecurityIdentifier));
            field = value;
        }
    }

    /// <summary>Returns whether the text is a SID in text form (MS-DTYP §2.4.2.1), as required by <see
    /// cref="SecurityIdentifier"/>.</summary>
    public static bool IsSecurityIdentifier(string? text) => text is not null && SidForm().IsMatch(text);

    /// <summary>Returns whether the text is a realm in the domain style (RFC 4120 §6.1), the only style that is supported.</summary>
    public static bool IsRealm([NotNullWhen(true)] string? text) => RealmName.IsValid(text);

    /// <summary>Creates a principal from a user principal name such as <c>ada@contoso.com</c> (RFC 6806 §5). Its suffix need not be a
    /// realm.</summary>
    /// <exception cref="ArgumentException">See the constructor.</exception>
    public static KerberosPrincipal Enterprise(string userPrincipalName, string? realm = null) =>
        new(PrincipalNameType.Enterprise, userPrincipalName, realm);

    /// <summary>Creates a principal from an account name in a realm. In Active Directory this is the sAMAccountName.</summary>
    /// <exception cref="ArgumentException">See the constructor.</exception>
    public static KerberosPrincipal Principal(string accountName, string realm) =>
        new(PrincipalNameType.Principal, accountName, realm);

    /// <summary>The components in messages. An enterprise name is one component and never split (RFC 6806 §5).</summary>
    internal string[] Components => Type == PrincipalNameType.Enterprise ? [Name] : Name.Split('/');

    /// <summary>Returns <c>name@REALM</c>, or only the name while the realm is not known.</summary>
    public override string ToString() => Realm is null ? Name : $"{Name}@{Realm}";

    [GeneratedRegex(@"\AS-1-[0-9]{1,15}(?:-[0-9]{1,10}){1,15}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex SidForm();
}
