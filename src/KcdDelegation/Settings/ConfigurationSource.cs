using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace KcdDelegation.Settings;

/// <summary>A section of the configuration that sets options, and the files behind it.</summary>
internal sealed class ConfigurationSource(IConfiguration section) : IOptionsChangeTokenSource<KcdOptions>
{
    public string Name => Options.DefaultName;

    public IChangeToken GetChangeToken() => section.GetReloadToken();

    /// <summary>Sets the options from the section.</summary>
    public void Bind(KcdOptions options) => SettingsBinder.Bind(section, options);

    /// <summary>Returns the files that the configuration is read from; none if its root is not known.</summary>
    /// <param name="hostConfiguration">The configuration of the host, or null.</param>
    public IEnumerable<FileConfigurationProvider> FindFiles(IConfiguration? hostConfiguration)
    {
        var root = section as IConfigurationRoot ?? FindRoot(section) ?? hostConfiguration as IConfigurationRoot;
        return root is null ? [] : FindFiles(root);
    }

    private static IEnumerable<FileConfigurationProvider> FindFiles(IConfigurationRoot root) =>
        root.Providers.SelectMany(provider => provider switch
        {
            FileConfigurationProvider file => [file],
            ChainedConfigurationProvider { Configuration: IConfigurationRoot inner } => FindFiles(inner),
            _ => Enumerable.Empty<FileConfigurationProvider>(),
        });

    /// <summary>Returns the root of a section of the platform's type, which has no public member for it.</summary>
    private static IConfigurationRoot? FindRoot(IConfiguration section)
    {
        try
        {
            return section is ConfigurationSection known ? GetRoot(known) : null;
        }
        // A later version of the platform may have no such field. The host's configuration is used then.
        catch (MissingFieldException)
        {
            return null;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_root")]
    private static extern ref readonly IConfigurationRoot GetRoot(ConfigurationSection section);
}
