using System.Globalization;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Recording;

namespace KcdDelegation.Tool.Output;

/// <summary>An AS-REQ or TGS-REQ in a transcript.</summary>
internal sealed record TracedRequest
{
    /// <summary>Gets the name of the message in RFC 4120.</summary>
    public required string Message { get; init; }

    public required int Size { get; init; }

    public TracedName? Client { get; init; }

    public required TracedName Service { get; init; }

    public required string Realm { get; init; }

    public required IReadOnlyList<string> Options { get; init; }

    public required IReadOnlyList<string> EncryptionTypes { get; init; }

    public required DateTimeOffset Till { get; init; }

    public required IReadOnlyList<TracedPaData> PreAuthentication { get; init; }

    public required IReadOnlyList<TracedTicket> AdditionalTickets { get; init; }

    public static TracedRequest FromRecord(RecordedRequest request, TraceNames names) => new()
    {
        Message = ProtocolNames.FormatMessage(request.Type),
        Size = request.Size,
        Client = request.Client is { } client ? TracedName.FromName(client, names) : null,
        Service = TracedName.FromName(request.Service, names),
        Realm = names.ShowRealm(request.Realm),
        Options = ProtocolNames.FormatKdcOptions(request.Options),
        EncryptionTypes = [.. request.EncryptionTypes.Select(TicketNames.Format)],
        Till = request.Till,
        PreAuthentication = TracedPaData.FromList(request.PaData, names),
        AdditionalTickets = [.. request.AdditionalTickets.Select(ticket => TracedTicket.FromRecord(ticket, names))],
    };

    public void AddTo(LabelledLines lines)
    {
        lines.Add("request", string.Create(CultureInfo.InvariantCulture, $"{Message}, {Size} bytes"));
        if (Client is not null)
            lines.Add("client", Client.ToString());
        lines.Add("service", Service.ToString());
        lines.Add("realm", Realm);
        lines.Add("options", TraceResult.Join(Options));
        lines.Add("types", TraceResult.Join(EncryptionTypes));
        lines.Add("till", TicketResult.FormatTime(Till));
        foreach (var entry in PreAuthentication)
            lines.Add("pre-auth", entry.ToString());
        foreach (var ticket in AdditionalTickets)
            lines.Add("evidence", ticket.ToString());
    }
}

/// <param name="Name">The name, or what replaces it.</param>
/// <param name="Type">The name type of RFC 4120 §6.2.</param>
internal sealed record TracedName(string Name, string Type)
{
    public static TracedName FromName(PrincipalName name, TraceNames names) =>
        new(names.Show(name), ProtocolNames.FormatNameType(name.Type));

    public override string ToString() => $"{Name} ({Type})";
}

/// <summary>The unencrypted fields of a ticket.</summary>
internal sealed record TracedTicket(string Service, string Realm, string EncryptionType, uint? KeyVersion, int Size)
{
    public static TracedTicket FromRecord(RecordedTicket ticket, TraceNames names) => new(
        names.Show(ticket.Service), names.ShowRealm(ticket.Realm), TicketNames.Format(ticket.EncryptionType), ticket.KeyVersion,
        ticket.Size);

    public override string ToString()
    {
        var version = KeyVersion is { } number ? string.Create(CultureInfo.InvariantCulture, $"key version {number}") : "no key version";
        return string.Create(CultureInfo.InvariantCulture, $"{Service}@{Realm}, {EncryptionType}, {version}, {Size} bytes");
    }
}

/// <summary>An entry of pre-authentication data without its secrets.</summary>
internal sealed record TracedPaData
{
    /// <summary>Gets the registered name; null for a type that is not known.</summary>
    public string? Name { get; init; }

    public required int Number { get; init; }

    public required int Size { get; init; }

    public TracedName? User { get; init; }

    public string? UserRealm { get; init; }

    public string? Checksum { get; init; }

    public IReadOnlyList<string>? Flags { get; init; }

    public string? EncryptionType { get; init; }

    public uint? KeyVersion { get; init; }

    public TracedTicket? Ticket { get; init; }

    public IReadOnlyList<string>? EncryptionTypes { get; init; }

    public static IReadOnlyList<TracedPaData> FromList(IEnumerable<RecordedPaData> entries, TraceNames names) =>
        [.. entries.Select(entry => FromRecord(entry, names))];

    public override string ToString()
    {
        var fields = new List<string> { string.Create(CultureInfo.InvariantCulture, $"{PaDataNames.Describe(Number)}, {Size} bytes") };
        if (User is not null)
            fields.Add($"user {User}");
        if (UserRealm is not null)
            fields.Add($"realm {UserRealm}");
        if (Checksum is not null)
            fields.Add($"checksum {Checksum}");
        if (Flags is not null)
            fields.Add($"flags {TraceResult.Join(Flags)}");
        if (Ticket is not null)
            fields.Add($"ticket for {Ticket}");
        if (EncryptionType is not null)
            fields.Add($"{(Ticket is null ? "" : "authenticator ")}encrypted with {EncryptionType}");
        if (KeyVersion is { } version)
            fields.Add(string.Create(CultureInfo.InvariantCulture, $"key version {version}"));
        if (EncryptionTypes is not null)
            fields.Add($"types {TraceResult.Join(EncryptionTypes)}");
        return string.Join(", ", fields);
    }

    private static TracedPaData FromRecord(RecordedPaData entry, TraceNames names)
    {
        foreach (var salt in entry.Salts)
            names.AddSalt(salt);
        return new TracedPaData
        {
            Name = PaDataNames.Find((int)entry.Type),
            Number = (int)entry.Type,
            Size = entry.Size,
            User = entry.User is { } user ? TracedName.FromName(user, names) : null,
            UserRealm = entry.UserRealm is { } realm ? names.ShowRealm(realm) : null,
            Checksum = entry.Checksum is { } checksum ? ProtocolNames.Format(checksum) : null,
            Flags = entry.Flags is { } flags ? ProtocolNames.FormatPaDataFlags(entry.Type, flags) : null,
            EncryptionType = entry.EncryptionType is { } type ? TicketNames.Format(type) : null,
            KeyVersion = entry.KeyVersion,
            Ticket = entry.Ticket is { } ticket ? TracedTicket.FromRecord(ticket, names) : null,
            EncryptionTypes = entry.EncryptionTypes is { } types ? [.. types.Select(TicketNames.Format)] : null,
        };
    }
}
