using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>An address of a host (RFC 4120 §5.2.5).</summary>
/// <remarks>HostAddress ::= SEQUENCE { addr-type [0] Int32, address [1] OCTET STRING }.</remarks>
internal sealed record HostAddress(int Type, ReadOnlyMemory<byte> Address)
{
    /// <summary>IPv4 (RFC 4120 §7.5.3).</summary>
    private const int InternetAddress = 2;

    /// <summary>IPv6 (RFC 4120 §7.5.3).</summary>
    private const int Internet6Address = 24;

    /// <summary>Creates the address of a socket. RFC 4120 §7.5.3: an IPv4 address in IPv6 form is written as IPv4.</summary>
    public static HostAddress From(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return new HostAddress(
            plain.AddressFamily == AddressFamily.InterNetwork ? InternetAddress : Internet6Address, plain.GetAddressBytes());
    }

    public static HostAddress Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        return new HostAddress(sequence.ReadField(0).ReadInt32(), sequence.ReadField(1).ReadOctets());
    }

    public void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(0, Type);
            writer.WriteOctets(1, Address);
        }
    }
}
