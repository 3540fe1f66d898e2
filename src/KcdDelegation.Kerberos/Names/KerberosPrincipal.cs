using System.Text.RegularExpressions;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>A user or service with its realm (RFC 4120 §5.2.2 PrincipalName and Realm). Immutable, thread-safe, compared ordinally:
/// folding case is the mapper's job, never the cache's.</summary>
public sealed partial record KerberosPrincipal
{
    /// <summary>Makes a principal. The name is kept as it is: nothing is folded, trimmed or normalised.</summary>
    /// <param name="type">How the KDC shall read the name.</param>
    /// <param name="name">At most 1,024 characters, without control or invisible ones. An enterprise name is one component whatever
    /// it contains; of other names a slash separates the components.</param>
    /// <param name="realm">The realm; null only for <see cref="PrincipalNameType.Enterprise"/>, where the engine finds it.</param>
    /// <exception cref="ArgumentException">The name or realm is empty, too long, or has control or invisible characters.</exception>
    public KerberosPrincipal(PrincipalNameType type, string name, string? realm)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (type is not (PrincipalNameType.Principal or PrincipalNameType.ServiceInstance or PrincipalNameType.Enterprise))
            throw new ArgumentOutOfRangeException(nameof(type), type, "Not a name type of this library.");
        KerberosNameRules.ThrowIfRefused(name, "The name", nameof(name));
        if (realm is null && type != PrincipalNameType.Enterprise)
            throw new ArgumentException("Only an enterprise name may come without a realm.", nameof(realm));
        if (realm is not null)
            KerberosNameRules.ThrowIfRefused(realm, "The realm", nameof(realm));
        if (type != PrincipalNameType.Enterprise && name.Split('/').Any(component => component.Length == 0))
            throw new ArgumentException("The name has an empty component.", nameof(name));
        (Type, Name, Realm) = (type, name, realm);
    }

    /// <summary>How the KDC reads the name.</summary>
    public PrincipalNameType Type { get; }

    /// <summary>The name without its realm.</summary>
    public string Name { get; }

    /// <summary>Null: not known yet, the engine finds it (only for <see cref="PrincipalNameType.Enterprise"/>).</summary>
    public string? Realm { get; }

    /// <summary>The SID that the account must have (<c>S-1-5-21-…</c>), from a trusted source such as the token's <c>onprem_sid</c>; null: not
    /// known. The client refuses a ticket whose PAC names another account, or none. Part of the identity: a principal with a SID and one
    /// without share no ticket.</summary>
    /// <exception cref="ArgumentException">Not a SID in text form.</exception>
    public string? SecurityIdentifier
    {
        get;
        init
        {
            if (value is not null && !IsSecurityIdentifier(value))
                throw new ArgumentException("A SID looks like S-1-5-21-1004336348-1177238915-682003330-1103.", nameof(SecurityIdentifier));
            field = value;
        }
    }

    /// <summary>Whether the text is a SID in its text form (MS-DTYP §2.4.2.1), as <see cref="SecurityIdentifier"/> takes it.</summary>
    public static bool IsSecurityIdentifier(string? text) => text is not null && SidForm().IsMatch(text);

    /// <summary>A user principal name such as <c>ada@contoso.com</c> (RFC 6806 §5); its suffix need not be a realm.</summary>
    /// <exception cref="ArgumentException">See the constructor.</exception>
    public static KerberosPrincipal Enterprise(string userPrincipalName, string? realm = null) =>
        new(PrincipalNameType.Enterprise, userPrincipalName, realm);

    /// <summary>An account by its name in a realm; in Active Directory the sAMAccountName.</summary>
    /// <exception cref="ArgumentException">See the constructor.</exception>
    public static KerberosPrincipal Principal(string accountName, string realm) =>
        new(PrincipalNameType.Principal, accountName, realm);

    /// <summary>The components that go on the wire. An enterprise name is one component, never split (RFC 6806 §5).</summary>
    internal string[] Components => Type == PrincipalNameType.Enterprise ? [Name] : Name.Split('/');

    /// <summary><c>name@REALM</c>, or the name alone while the realm is not known.</summary>
    public override string ToString() => Realm is null ? Name : $"{Name}@{Realm}";

    [GeneratedRegex(@"\AS-1-[0-9]{1,15}(?:-[0-9]{1,10}){1,15}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SidForm();
}
