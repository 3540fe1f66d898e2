using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The identity to which a caller is mapped.</summary>
internal sealed record MapResult : CommandResult
{
    public required string Application { get; init; }

    public required string Service { get; init; }

    /// <summary>Gets the name of a <see cref="KcdDelegation.LoginIdentity"/>.</summary>
    public required string LoginIdentity { get; init; }

    public required string Name { get; init; }

    /// <summary>Gets the name of a <see cref="PrincipalNameType"/> in lower case.</summary>
    public required string NameType { get; init; }

    /// <summary>Gets the realm; null if it is found by asking the KDCs.</summary>
    public string? Realm { get; init; }

    public static MapResult FromIdentity(ConfiguredApplication application, KerberosPrincipal identity) => new()
    {
        Application = application.Name,
        Service = application.Options.ServicePrincipalName!,
        LoginIdentity = application.Options.LoginIdentity.ToString(),
        Name = identity.Name,
        NameType = identity.Type.ToString().ToLowerInvariant(),
        Realm = identity.Realm,
    };

    public override void WriteText(OutputStream output) => new LabelledLines
    {
        { "identity", Name },
        { "name type", NameType },
        { "realm", Realm ?? "found by asking the KDCs" },
        { "login identity", LoginIdentity },
        { "application", $"{Application} ({Service})" },
    }.Write(output);
}
