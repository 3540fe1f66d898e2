using System.Formats.Asn1;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>A name with its type (RFC 4120 §5.2.2), compared by its components. The type is only a hint (RFC 4120 §6.2).</summary>
/// <remarks>PrincipalName ::= SEQUENCE { name-type [0] Int32, name-string [1] SEQUENCE OF KerberosString }.</remarks>
internal sealed record PrincipalName(int Type, IReadOnlyList<string> Components)
{
    public const int MaxComponents = 16;

    public static PrincipalName From(KerberosPrincipal principal) => new((int)principal.Type, principal.Components);

    public static PrincipalName From(ServicePrincipalName service) => new((int)PrincipalNameType.ServiceInstance, service.Components);

    /// <summary>Returns krbtgt/REALM, the ticket-granting service of a realm (RFC 4120 §7.3).</summary>
    public static PrincipalName TicketGranting(string realm) => new((int)PrincipalNameType.ServiceInstance, ["krbtgt", realm]);

    /// <summary>The realm whose ticket-granting service has this name, or null for other names.</summary>
    public string? TicketGrantingRealm => Components is ["krbtgt", var realm] ? realm : null;

    public bool Equals(PrincipalName? other) => other is not null && Components.SequenceEqual(other.Components, StringComparer.Ordinal);

    public override int GetHashCode() =>
        Components.Aggregate(0, (hash, component) => HashCode.Combine(hash, component.GetHashCode(StringComparison.Ordinal)));

    public static PrincipalName Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        var type = sequence.ReadField(0).ReadInt32();
        var components = sequence.ReadField(1).ReadList(KerberosAsnReader.ReadKerberosString);
        if (components.Count > MaxComponents)
            throw new AsnContentException("A name has too many components.");
        // A referral names the next realm, which becomes a DNS query.
        if (components is ["krbtgt", var realm] && !RealmName.IsValid(realm))
            throw new AsnContentException("The realm of a ticket-granting service is not in the domain style.");
        return new PrincipalName(type, [.. components]);
    }

    public void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(0, Type);
            writer.WriteField(1, field => field.WriteList(Components, static (w, component) => w.WriteKerberosString(component)));
        }
    }

    /// <summary>Returns whether both names have the same components, ignoring case.</summary>
    public bool EqualsIgnoreCase(PrincipalName other) => Components.SequenceEqual(other.Components, StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns whether the name has one component only, and this one, ignoring case.</summary>
    public bool IsSingleComponent(string? component) =>
        Components is [var only] && string.Equals(only, component, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the name as a principal. RFC 4120 §6.2: the type is a hint, but an enterprise name must not be split.</summary>
    /// <exception cref="KerberosException">The name is empty or cannot be written as text, such as a component with a slash.</exception>
    public KerberosPrincipal ToPrincipal(string realm)
    {
        var isEnterprise = Type == (int)PrincipalNameType.Enterprise && Components.Count == 1;
        var text = ToString();
        if (!RealmName.IsValid(realm) || NameCharacters.FindViolation(text, "it") is not null
            || (!isEnterprise && Components.Any(component => component.Length == 0 || component.Contains('/', StringComparison.Ordinal))))
            throw KerberosException.Rejected(
                $"the name {text}@{realm} is not the name of an account: it is empty, or a component is empty or has a slash");
        return isEnterprise ? KerberosPrincipal.Enterprise(text, realm) : KerberosPrincipal.Principal(text, realm);
    }

    public override string ToString() => string.Join('/', Components);
}
