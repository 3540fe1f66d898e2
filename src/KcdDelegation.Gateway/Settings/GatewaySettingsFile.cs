using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace KcdDelegation.Gateway.Settings;

/// <summary>The file of the gateway's settings.</summary>
/// <param name="path">The path of the file.</param>
internal sealed class GatewaySettingsFile(string path)
{
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>Reads and parses the file.</summary>
    /// <exception cref="GatewaySettingsException">The file cannot be read, or a setting is wrong.</exception>
    public LoadedSettings Read()
    {
        var content = ReadContent();
        return new LoadedSettings(Parse(content), Hash(content));
    }

    /// <summary>Reads the content of the file.</summary>
    /// <exception cref="GatewaySettingsException">The file cannot be read.</exception>
    public byte[] ReadContent()
    {
        try
        {
            return File.ReadAllBytes(Path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GatewaySettingsException([$"The file {Path} cannot be read: {error.Message} Correct the path or its rights."]);
        }
    }

    /// <summary>Parses the content of the file.</summary>
    /// <exception cref="GatewaySettingsException">The content is not JSON, or a setting is wrong.</exception>
    public GatewaySettings Parse(byte[] content)
    {
        IConfiguration configuration;
        try
        {
            using var stream = new MemoryStream(content);
            configuration = new ConfigurationBuilder().AddJsonStream(stream).Build();
        }
        // The reader reports invalid JSON as one, and a key that is written twice as the other.
        catch (Exception error) when (error is FormatException or InvalidDataException or System.Text.Json.JsonException)
        {
            throw new GatewaySettingsException(
                [$"The file {Path} is not valid JSON: {error.GetBaseException().Message} Correct the file."]);
        }
        return GatewaySettingsParser.Parse(configuration);
    }

    /// <summary>Returns the hash by which contents are compared.</summary>
    public static string Hash(byte[] content) => Convert.ToHexString(SHA256.HashData(content));
}

/// <summary>The settings of a file.</summary>
/// <param name="Settings">The settings.</param>
/// <param name="Hash">The hash of the file's content.</param>
internal sealed record LoadedSettings(GatewaySettings Settings, string Hash);
