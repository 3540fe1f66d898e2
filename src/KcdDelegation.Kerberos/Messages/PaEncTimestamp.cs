namespace KcdDelegation.Kerberos.Messages;

/// <summary>The plaintext of an encrypted timestamp (RFC 4120 §5.2.7.2).</summary>
/// <remarks>PA-ENC-TS-ENC ::= SEQUENCE { patimestamp [0] KerberosTime, pausec [1] Microseconds OPTIONAL }.</remarks>
internal sealed record PaEncTimestamp(DateTimeOffset Time, int? Microseconds)
{
    public static PaEncTimestamp Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("PA-ENC-TS-ENC", bytes, reader =>
    {
        var sequence = reader.ReadSequence();
        return new PaEncTimestamp(sequence.ReadField(0).ReadKerberosTime(), sequence.ReadOptionalField(1)?.ReadMicroseconds());
    });

    public byte[] Encode() => MessageFormat.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteTime(0, Time);
            if (Microseconds is { } microseconds)
                writer.WriteInteger(1, microseconds);
        }
    });
}
