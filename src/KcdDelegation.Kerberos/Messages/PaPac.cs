namespace KcdDelegation.Kerberos.Messages;

/// <summary>KERB-PA-PAC-REQUEST (MS-KILE §2.2.3). A TGT without a PAC cannot be used for S4U.</summary>
/// <remarks>KERB-PA-PAC-REQUEST ::= SEQUENCE { include-pac [0] BOOLEAN }.</remarks>
internal static class PaPacRequest
{
    public static PaData Include { get; } = new(PaDataType.PacRequest, MessageFormat.Encode(writer =>
    {
        using (writer.PushSequence())
            writer.WriteField(0, field => field.WriteBoolean(true));
    }));
}

/// <summary>PA-PAC-OPTIONS (MS-KILE §2.2.10, MS-SFU §2.2.5).</summary>
/// <remarks>PA-PAC-OPTIONS ::= SEQUENCE { flags [0] KerberosFlags }.</remarks>
internal static class PaPacOptions
{
    public const uint Claims = 0x80000000;

    /// <summary>Bit 3: resource-based constrained delegation.</summary>
    public const uint ResourceBasedDelegation = 0x10000000;

    public static PaData Create(uint flags) => new(PaDataType.PacOptions, MessageFormat.Encode(writer =>
    {
        using (writer.PushSequence())
            writer.WriteFlags(0, flags);
    }));

    public static uint Decode(ReadOnlyMemory<byte> bytes) =>
        MessageFormat.Decode("PA-PAC-OPTIONS", bytes, reader => reader.ReadSequence().ReadField(0).ReadFlags());
}
