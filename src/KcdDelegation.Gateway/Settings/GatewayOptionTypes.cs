using KcdDelegation.Settings;

namespace KcdDelegation.Gateway.Settings;

/// <summary>The types of the gateway's options, and those of the library, for keys in the wrong section.</summary>
internal static class GatewayOptionTypes
{
    /// <summary>The section that the library binds itself.</summary>
    public const string Kcd = "Kcd";

    private const string Providers = $"{nameof(GatewayOptions.IdentityProviders)}:NAME";

    public static IReadOnlyList<OptionsType> All { get; } =
    [
        OptionsType.Create<GatewayOptions>(""),
        OptionsType.Create<ListenerOptions>(nameof(GatewayOptions.Listener)),
        OptionsType.Create<CertificateOptions>($"{nameof(GatewayOptions.Listener)}:{nameof(ListenerOptions.Certificates)}:0"),
        OptionsType.Create<LimitOptions>($"{nameof(GatewayOptions.Listener)}:{nameof(ListenerOptions.Limits)}"),
        OptionsType.Create<IdentityProviderOptions>(Providers),
        OptionsType.Create<TokenOptions>($"{Providers}:{nameof(IdentityProviderOptions.Token)}"),
        OptionsType.Create<SignInOptions>($"{Providers}:{nameof(IdentityProviderOptions.SignIn)}"),
        OptionsType.Create<GatewayApplicationOptions>($"{nameof(GatewayOptions.Applications)}:NAME"),
        OptionsType.Create<SessionOptions>(nameof(GatewayOptions.Sessions)),
        OptionsType.Create<ForwardAuthenticationOptions>(nameof(GatewayOptions.ForwardAuthentication)),
        OptionsType.Create<PageOptions>(nameof(GatewayOptions.Pages)),
        OptionsType.Create<OperationOptions>(nameof(GatewayOptions.Operation)),
        .. OptionsType.All.Select(static type => type.Below(Kcd)),
    ];
}
