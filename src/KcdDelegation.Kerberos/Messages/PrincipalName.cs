using System.Formats.Asn1;

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

    public override string ToString() => string.Join('/', Components);
}
