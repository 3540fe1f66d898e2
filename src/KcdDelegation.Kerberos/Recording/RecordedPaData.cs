using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Recording;

/// <summary>An entry of pre-authentication data: its type, its size, and the fields that are not secret.</summary>
/// <param name="Type">The assigned number.</param>
/// <param name="Size">The size of the value in bytes.</param>
internal sealed record RecordedPaData(PaDataType Type, int Size)
{
    /// <summary>Gets the user of PA-FOR-USER or PA-S4U-X509-USER.</summary>
    public PrincipalName? User { get; init; }

    /// <summary>Gets the realm of the user.</summary>
    public string? UserRealm { get; init; }

    /// <summary>Gets the type of the checksum over the user.</summary>
    public ChecksumType? Checksum { get; init; }

    /// <summary>Gets the flags of PA-PAC-OPTIONS, or the options of PA-S4U-X509-USER.</summary>
    public uint? Flags { get; init; }

    /// <summary>Gets the type of the key that encrypts the timestamp or the authenticator.</summary>
    public EncryptionType? EncryptionType { get; init; }

    /// <summary>Gets the version of the key that encrypts the timestamp, if the request states it.</summary>
    public uint? KeyVersion { get; init; }

    /// <summary>Gets the ticket in a PA-TGS-REQ.</summary>
    public RecordedTicket? Ticket { get; init; }

    /// <summary>Gets the encryption types of ETYPE-INFO2.</summary>
    public IReadOnlyList<EncryptionType>? EncryptionTypes { get; init; }

    /// <summary>Gets the salts of ETYPE-INFO2. They contain names, so a transcript without names must know them.</summary>
    public IReadOnlyList<string> Salts { get; init; } = [];

    public static IReadOnlyList<RecordedPaData> FromList(IEnumerable<PaData> entries) => [.. entries.Select(FromEntry)];

    /// <summary>Reads the entries of METHOD-DATA (RFC 4120 §5.9.1). Returns an empty list for e-data of another form.</summary>
    public static IReadOnlyList<RecordedPaData> FromMethodData(ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty)
            return [];
        try
        {
            return FromList(PaData.DecodeMethodData(data));
        }
        catch (KerberosException)
        {
            return []; // other forms are allowed, such as KERB-ERROR-DATA
        }
    }

    private static RecordedPaData FromEntry(PaData entry)
    {
        var recorded = new RecordedPaData(entry.Type, entry.Value.Length);
        try
        {
            return recorded.WithFields(entry.Value);
        }
        catch (KerberosException)
        {
            return recorded; // nothing is known of a malformed value but its size
        }
    }

    private RecordedPaData WithFields(ReadOnlyMemory<byte> value)
    {
        switch (Type)
        {
            case PaDataType.TgsRequest:
                var request = ApRequest.Decode(value);
                return this with { Ticket = RecordedTicket.FromTicket(request.Ticket), EncryptionType = request.Authenticator.Type };
            case PaDataType.EncryptedTimestamp when !value.IsEmpty:
                var timestamp = EncryptedData.Decode(value);
                return this with { EncryptionType = timestamp.Type, KeyVersion = timestamp.KeyVersion };
            case PaDataType.ForUser:
                var user = PaForUser.Decode(value);
                return this with { User = user.User, UserRealm = user.Realm, Checksum = user.Checksum.Type };
            case PaDataType.S4UX509User:
                var signed = PaS4UX509User.Decode(value);
                return this with
                {
                    User = signed.UserId.User,
                    UserRealm = signed.UserId.Realm,
                    Checksum = signed.Checksum.Type,
                    Flags = signed.UserId.Options,
                };
            case PaDataType.PacOptions:
                return this with { Flags = PaPacOptions.Decode(value) };
            case PaDataType.EtypeInfo2:
                var entries = EtypeInfo2Entry.DecodeList(value);
                return this with
                {
                    EncryptionTypes = [.. entries.Select(static entry => entry.Type)],
                    Salts = [.. entries.Select(static entry => entry.Salt).OfType<string>()],
                };
            default:
                return this;
        }
    }
}
