using System.Text;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Benchmarks.Headers;

/// <summary>The parts of one header: the constant bytes of all headers of a ticket, and the positions of the variable fields. All parts are
/// computed before the measurement starts.</summary>
internal sealed class HeaderSample
{
    /// <summary>Gets "Negotiate " and the base64 of all complete groups of three bytes before the authenticator.</summary>
    public required byte[] Prefix { get; init; }

    /// <summary>Gets the zero to two bytes between them and the authenticator.</summary>
    public required byte[] Carry { get; init; }

    /// <summary>Gets the unencrypted authenticator without the confounder.</summary>
    public required byte[] Authenticator { get; init; }

    public required int Time { get; init; }
    public required int Microseconds { get; init; }
    public required int Subkey { get; init; }
    public required int SubkeyLength { get; init; }
    public required int SequenceNumber { get; init; }
    public required byte[] EncryptionKey { get; init; }
    public required byte[] IntegrityKey { get; init; }
    public required int TagLength { get; init; }

    public int TailLength => EncryptionProfile.ConfounderLength + Authenticator.Length + TagLength;

    public static HeaderSample Create(ServiceTicket ticket, TokenFormat format)
    {
        var key = ticket.Issued.SessionKey;
        var template = ticket.CreateApRequest();
        var tail = new byte[template.TailLength];
        template.WriteTail(tail);
        var authenticator = key.Decrypt(KeyUsage.ApRequestAuthenticator, tail);
        var fields = Kerberos.Messages.Authenticator.Decode(authenticator);

        var value = DelegatedCredential.FromTicket(ticket).CreateAuthorization(format).Parameter!;
        var token = Convert.FromBase64String(value);
        var head = token.Length - tail.Length;
        return new HeaderSample
        {
            Prefix = Encoding.ASCII.GetBytes("Negotiate " + value[..(head / 3 * 4)]),
            Carry = token[(head - (head % 3))..head],
            Authenticator = authenticator,
            Time = Find(authenticator, Encoding.ASCII.GetBytes(fields.Time.UtcDateTime.ToString("yyyyMMddHHmmss'Z'",
                System.Globalization.CultureInfo.InvariantCulture))),
            Microseconds = Find(authenticator, [0xA4, 0x05, 0x02, 0x03]) + 4,
            Subkey = Find(authenticator, fields.Subkey!.Bytes),
            SubkeyLength = fields.Subkey.Bytes.Length,
            SequenceNumber = Find(authenticator, [0xA7, 0x06, 0x02, 0x04]) + 4,
            EncryptionKey = key.Derive(KeyUsage.ApRequestAuthenticator, KeyPurpose.Encryption).Span.ToArray(),
            IntegrityKey = key.Derive(KeyUsage.ApRequestAuthenticator, KeyPurpose.Integrity).Span.ToArray(),
            TagLength = key.Profile.ChecksumLength,
        };
    }

    private static int Find(byte[] whole, ReadOnlySpan<byte> part) => whole.AsSpan().IndexOf(part);
}
