using System.Formats.Asn1;
using System.Runtime.InteropServices;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>The DER of an authenticator (RFC 4120 §5.5.1) with the offsets of the fields that change per request: time, microseconds,
/// subkey and sequence number. These fields have encodings of constant length. Immutable and thread-safe.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct AuthenticatorTemplate
{
    /// <summary>The smallest sequence number: 0x40000000 with thirty random bits always takes four bytes of DER.</summary>
    private const uint FirstSequenceNumber = 0x4000_0000;

    private readonly byte[] _encoded;
    private readonly int _microseconds;
    private readonly int _time;
    private readonly int _subkey;
    private readonly int _subkeyEnd;
    private readonly int _sequenceNumber;

    public AuthenticatorTemplate(IssuedTicket ticket, ApRequestOptions options)
    {
        // RFC 4121 §4.1.1.2 computes a binding with MD5. Where the system refuses MD5, no binding is sent.
        var channelBinding = Md5.IsRefused ? [] : options.ChannelBinding.Span;
        var flags = GssChecksum.Replay | GssChecksum.Sequence | GssChecksum.Confidentiality | GssChecksum.Integrity
            | (options.MutualAuthentication ? GssChecksum.Mutual : 0);
        using var placeholder = KerberosKey.CreateRandom(ticket.SessionKey.Type);
        _encoded = new Authenticator
        {
            ClientRealm = ticket.ClientRealm,
            Client = ticket.Client,
            Checksum = new ChecksumField(ChecksumType.Gss, GssChecksum.Create(flags, channelBinding)),
            Microseconds = AuthenticatorTimestamps.FirstMicrosecond,
            Time = DateTimeOffset.UnixEpoch,
            Subkey = placeholder,
            SequenceNumber = FirstSequenceNumber,
            AuthorizationData = channelBinding.IsEmpty ? [] : [InsistOnChannelBinding()],
        }.Encode();
        (_microseconds, _time, _subkey, _sequenceNumber) = Locate(_encoded);
        _subkeyEnd = _subkey + placeholder.Bytes.Length;
        _encoded.AsSpan(_subkey.._subkeyEnd).Clear();
    }

    public int Length => _encoded.Length;

    /// <summary>Writes the confounder (RFC 3961 §5.3) and the authenticator of one request, with its own subkey and sequence number.
    /// Allocates nothing.</summary>
    /// <param name="destination">Receives the plaintext.</param>
    /// <param name="timestamp">The authenticator's time.</param>
    public void Write(Span<byte> destination, AuthenticatorTimestamp timestamp)
    {
        var text = destination[EncryptionProfile.ConfounderLength..];
        _encoded.CopyTo(text);
        text[_microseconds] = (byte)(timestamp.Microseconds >> 16);
        text[_microseconds + 1] = (byte)(timestamp.Microseconds >> 8);
        text[_microseconds + 2] = (byte)timestamp.Microseconds;
        KerberosTimeText.Write(text[_time..], timestamp.UnixSeconds);
        // One draw of random bytes covers subkey and sequence number. The DER octets between them are restored afterwards.
        RandomBytes.Fill(destination[..EncryptionProfile.ConfounderLength], text[_subkey..(_sequenceNumber + sizeof(uint))]);
        _encoded.AsSpan(_subkeyEnd.._sequenceNumber).CopyTo(text[_subkeyEnd..]);
        text[_sequenceNumber] = (byte)((text[_sequenceNumber] & 0x3F) | (FirstSequenceNumber >> 24));
    }

    /// <summary>Creates AD-IF-RELEVANT around KERB_AP_OPTIONS with KERB_AP_OPTIONS_CBT (MS-KILE §3.2.5.8). Acceptors that know it then
    /// require the binding.</summary>
    private static AuthorizationDataEntry InsistOnChannelBinding()
    {
        const int apOptions = 143;
        byte[] channelBindingToken = [0x00, 0x40, 0x00, 0x00]; // LE32 0x4000
        return new AuthorizationDataEntry(AuthorizationDataEntry.IfRelevant, MessageFormat.Encode(writer =>
            AuthorizationDataEntry.WriteList(writer, [new AuthorizationDataEntry(apOptions, channelBindingToken)])));
    }

    /// <summary>Finds the contents of [4] cusec, [5] ctime, [6] subkey and [7] seq-number by reading the encoding.</summary>
    private static (int Microseconds, int Time, int Subkey, int SequenceNumber) Locate(byte[] encoded)
    {
        var reader = new AsnReader(encoded, AsnEncodingRules.DER);
        var fields = reader.ReadSequence(new Asn1Tag(TagClass.Application, 2)).ReadSequence();
        for (var field = 0; field <= 3; field++)
            fields.ReadField(field);
        var microseconds = GetOffset(encoded, fields.ReadField(4).PeekContentBytes());
        var time = GetOffset(encoded, fields.ReadField(5).PeekContentBytes());
        var key = fields.ReadField(6).ReadSequence();
        key.ReadField(0);
        var subkey = GetOffset(encoded, key.ReadField(1).PeekContentBytes());
        return (microseconds, time, subkey, GetOffset(encoded, fields.ReadField(7).PeekContentBytes()));
    }

    private static int GetOffset(ReadOnlySpan<byte> whole, ReadOnlyMemory<byte> part)
    {
        whole.Overlaps(part.Span, out var offset);
        return offset;
    }
}
